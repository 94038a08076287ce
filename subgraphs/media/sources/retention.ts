import type { SubgraphDatabase } from '../../../platform/db.ts'

/** Media of one owner whose time is over. */
export interface ExpiredMedia {
  readonly ownerId: string
  readonly ids: readonly string[]
}

/** What ends the time of media, of whomever. */
export interface RetentionSource {
  /** Takes up to 100 media of one owner; they come again in an hour unless something was decided. Null where there are none. */
  takeExpired(): Promise<ExpiredMedia | null>
  keep(ownerId: string, ids: readonly string[], days: number): Promise<void>
  /** @returns how many there were */
  remove(ownerId: string, ids: readonly string[]): Promise<number>
}

export function retentionSource(database: SubgraphDatabase): RetentionSource {
  return {
    async takeExpired() {
      const rows = await database.prepared<{ ownerId: string; id: string }>('take_expired_media', take, [])
      const [first] = rows
      return first ? { ownerId: first.ownerId, ids: rows.map(({ id }) => id) } : null
    },
    async keep(ownerId, ids, days) {
      if (ids.length > 0) await database.prepared('keep_media', keep, [ownerId, ids, days])
    },
    async remove(ownerId, ids) {
      if (ids.length === 0) return 0
      return (await database.prepared('remove_expired_media', remove, [ownerId, ids])).length
    },
  }
}

const take = `
  update media.media set retention_until = now() + interval '1 hour'
  where key in (
    select m.key from media.media m
    where m.retention_until < now()
      and m.owner_id = (select e.owner_id from media.media e where e.retention_until < now() order by e.retention_until limit 1)
    limit 100 for update skip locked
  )
  returning owner_id as "ownerId", public_id as id`

const keep = `
  update media.media set retention_until = now() + make_interval(days => $3)
  where owner_id = $1 and public_id = any($2::text[])`

const remove = 'select r from media.remove_media($1, $2::text[]) r'
