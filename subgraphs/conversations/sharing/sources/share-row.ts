/** A share without its snapshot. Moments are PostgreSQL's text. */
export interface ShareRow {
  readonly key: string
  readonly publicId: string
  readonly slug: string
  readonly conversationKey: string
  readonly conversationId: string
  readonly itemId: string | null
  readonly title: string
  readonly includesImages: boolean
  readonly includesContext: boolean
  readonly viewCount: number
  readonly lastViewedAt: string | null
  readonly expiresAt: string | null
  /** When it was revoked, or its conversation deleted. */
  readonly revokedAt: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

/** The columns of a share `s` and its conversation `c`. What deletes a conversation thereby revokes its shares. */
export const shareColumns = `
  s.key, s.public_id as "publicId", s.slug, s.conversation_key as "conversationKey", c.public_id as "conversationId",
  s.item_id as "itemId", s.title, s.includes_images as "includesImages", s.includes_context as "includesContext",
  s.view_count as "viewCount", s.last_viewed_at as "lastViewedAt", s.expires_at as "expiresAt",
  coalesce(s.revoked_at, c.deleted_at) as "revokedAt", s.created_at as "createdAt", s.updated_at as "updatedAt"`
