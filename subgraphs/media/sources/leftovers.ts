import type { SubgraphDatabase } from '../../../platform/db.ts'

/** What the sweeper removes, of whomever. */
export interface LeftoverSource {
  /** Forgets uploads whose bytes never came. */
  forgetUploads(): Promise<void>
  /** Takes objects that are due: nobody can claim them any more. They come again where they are not `removed` within ten minutes. */
  take(limit: number): Promise<string[]>
  /** They are no longer in the store. */
  removed(storageKeys: readonly string[]): Promise<void>
}

export function leftoverSource(database: SubgraphDatabase): LeftoverSource {
  return {
    async forgetUploads() {
      await database.prepared('forget_uploads', forgetUploads, [])
    },
    async take(limit) {
      const rows = await database.prepared<{ storageKey: string }>('take_objects', take, [limit])
      return rows.map(({ storageKey }) => storageKey)
    },
    async removed(storageKeys) {
      await database.prepared('removed_objects', removed, [storageKeys])
    },
  }
}

/** As long as the link may still be in use the bytes may come: so the upload outlives it by the same hour as its object. */
const forgetUploads = `delete from media.upload where expires_at < now() - interval '1 hour'`

const take = `
  update media.unclaimed_object set taken_at = now()
  where storage_key in (
    select storage_key from media.unclaimed_object
    where due_at <= now() and (taken_at is null or taken_at < now() - interval '10 minutes')
    order by due_at limit $1 for update skip locked
  )
  returning storage_key as "storageKey"`

const removed = 'delete from media.unclaimed_object where storage_key = any($1::text[])'
