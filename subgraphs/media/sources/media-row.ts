/** A media as it is read. */
export interface MediaRow {
  readonly publicId: string
  readonly ownerId: string
  readonly storageKey: string
  readonly mimeType: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  readonly width: number
  readonly height: number
  readonly filename: string | null
  readonly createdAt: Date | string
  readonly retentionUntil: Date | string | null
}

/** The columns of a `MediaRow`, of the alias `m`. */
export const mediaColumns = `
  m.public_id as "publicId", m.owner_id as "ownerId", m.storage_key as "storageKey", m.mime_type as "mimeType", m.bytes,
  encode(m.sha256, 'hex') as sha256, m.width, m.height, m.filename, m.created_at as "createdAt",
  m.retention_until as "retentionUntil"`
