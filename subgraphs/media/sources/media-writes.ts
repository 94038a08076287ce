import type { SubgraphDatabase } from '../../../platform/db.ts'
import { type MediaRow, mediaColumns } from './media-row.ts'

/** What is known of an object whose bytes are in the store. */
export interface ObjectDraft extends Omit<MediaRow, 'publicId' | 'createdAt' | 'retentionUntil'> {
  readonly id: string
  /** Null: for ever. */
  readonly retentionDays: number | null
  /** The id was promised by a prepared upload: it becomes a media of its own even where the owner has these bytes. */
  readonly isPromised: boolean
}

/** An upload that a client has prepared. */
export interface UploadRow {
  readonly publicId: string
  readonly storageKey: string
  readonly mimeType: string
  readonly bytes: number | null
  readonly filename: string | null
}

/** Writes media: `migrations/0001-media.ts` tells what each statement holds true. */
export interface MediaWrites {
  /** To be called before the first byte of an object is stored; unclaimed it is removed after this many seconds. */
  announce(storageKey: string, seconds: number): Promise<void>
  /** Makes the media of an object, or finds the one that has its bytes. Null for a promise that was given up meanwhile. */
  claim(draft: ObjectDraft): Promise<{ readonly deduped: boolean; readonly media: MediaRow } | null>
  /** What was announced will not be claimed. */
  giveUp(storageKey: string): Promise<void>
  prepare(ownerId: string, upload: UploadRow, seconds: number): Promise<void>
  /** Those of the owner's that are prepared. */
  prepared(ownerId: string, ids: readonly string[]): Promise<UploadRow[]>
  /** Gives a prepared upload up; the media that somebody else has made of it meanwhile stays. */
  forgetUpload(ownerId: string, id: string): Promise<void>
  /** Media and prepared uploads. @returns the ids that are gone */
  remove(ownerId: string, ids: readonly string[]): Promise<string[]>
}

/** How much longer than its link an upload may take. */
const slowestSeconds = 3_600

export function mediaWrites(database: SubgraphDatabase): MediaWrites {
  return {
    async announce(storageKey, seconds) {
      await database.prepared('announce_object', announce, [storageKey, seconds])
    },

    async claim(draft) {
      const { id, ownerId, storageKey, mimeType, bytes, sha256, width, height, filename } = draft
      const [row] = await database.prepared<MediaRow & { deduped: boolean }>('claim_object', claim, [
        id,
        ownerId,
        storageKey,
        mimeType,
        bytes,
        Buffer.from(sha256, 'hex'),
        width,
        height,
        filename,
        draft.retentionDays,
        draft.isPromised,
      ])
      if (!row?.publicId) return null
      const { deduped, ...media } = row
      return { deduped, media }
    },

    async giveUp(storageKey) {
      await database.prepared('give_up_object', giveUp, [storageKey])
    },

    async prepare(ownerId, { publicId, storageKey, mimeType, bytes, filename }, seconds) {
      await database.prepared('prepare_upload', prepare, [
        publicId,
        ownerId,
        storageKey,
        mimeType,
        bytes,
        filename,
        seconds,
        seconds + slowestSeconds,
      ])
    },

    prepared: (ownerId, ids) => database.prepared<UploadRow>('prepared_uploads', prepared, [ownerId, ids]),

    async forgetUpload(ownerId, id) {
      await database.prepared('forget_upload', forgetUpload, [ownerId, id])
    },

    async remove(ownerId, ids) {
      const rows = await database.prepared<{ id: string }>('remove_media', remove, [ownerId, ids])
      return rows.map(({ id }) => id)
    },
  }
}

/** Removes everything of a user's, in steps that are short. */
export async function eraseOwner(database: SubgraphDatabase, ownerId: string): Promise<void> {
  for (;;) {
    const rows = await database.prepared('erase_media', erase, [ownerId])
    if (rows.length === 0) return
  }
}

const announce = `
  insert into media.unclaimed_object (storage_key, due_at) values ($1, now() + make_interval(secs => $2))`

const claim = `
  select c.deduped, ${mediaColumns.replaceAll('m.', '(c.media).')}
  from media.claim_object($1, $2, $3, $4, $5, $6, $7, $8, $9, make_interval(days => $10::integer), $11) c`

const giveUp = `
  update media.unclaimed_object set due_at = now() where storage_key = $1`

const prepare = `
  with announced as (
    insert into media.unclaimed_object (storage_key, due_at) values ($3, now() + make_interval(secs => $8))
  )
  insert into media.upload (public_id, owner_id, storage_key, mime_type, bytes, filename, expires_at)
  values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))`

const prepared = `
  select public_id as "publicId", storage_key as "storageKey", mime_type as "mimeType", bytes, filename
  from media.upload where owner_id = $1 and public_id = any($2::text[])`

const forgetUpload = 'delete from media.upload where owner_id = $1 and public_id = $2'

const remove = 'select r as id from media.remove_media($1, $2::text[]) r'

const erase = `
  select r from media.remove_media($1, array(
    (select public_id from media.media where owner_id = $1 limit 500)
    union all (select public_id from media.upload where owner_id = $1 limit 500)
  )) r`
