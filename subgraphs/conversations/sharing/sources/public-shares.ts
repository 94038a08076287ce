import type { SubgraphDatabase } from '../../../../platform/db.ts'
import { isShareSlug } from '../../../../platform/ids.ts'
import type { Snapshot } from '../snapshot.ts'

/** A share as whoever has its link finds it. */
export interface LinkedShare {
  readonly key: string
  readonly slug: string
  readonly title: string
  readonly createdAt: string
  readonly isRevoked: boolean
  readonly isExpired: boolean
}

/** What was read of a share, by its key. */
export interface Views {
  readonly count: number
  readonly lastAt: Date
}

/** Reads shares for whoever has a link, and counts. */
export interface PublicShareSource {
  bySlug(slug: string): Promise<LinkedShare | null>
  /** Null where it has been revoked, or its conversation deleted. */
  snapshot(key: string): Promise<Snapshot | null>
  addViews(views: ReadonlyMap<string, Views>): Promise<void>
}

export function publicShareSource(database: SubgraphDatabase): PublicShareSource {
  return {
    async bySlug(slug) {
      if (!isShareSlug(slug)) return null
      const [share] = await database.prepared<LinkedShare>('share_by_slug', shareBySlug, [slug])
      return share ?? null
    },

    async snapshot(key) {
      const [found] = await database.prepared<{ snapshot: Snapshot }>('share_snapshot', snapshotOfShare, [
        key,
      ])
      return found?.snapshot ?? null
    },

    async addViews(views) {
      const added = [...views].map(([key, { count, lastAt }]) => ({ key, count, last_at: lastAt }))
      await database.prepared('add_share_views', addShareViews, [JSON.stringify(added)])
    },
  }
}

const shareBySlug = `
  select s.key, s.slug, s.title, s.created_at as "createdAt",
    coalesce(s.revoked_at, c.deleted_at) is not null as "isRevoked", coalesce(s.expires_at <= now(), false) as "isExpired"
  from conversations.share s join conversations.conversation c on c.key = s.conversation_key
  where s.slug = $1`

const snapshotOfShare = `
  select s.snapshot
  from conversations.share s join conversations.conversation c on c.key = s.conversation_key
  where s.key = $1 and s.revoked_at is null and c.deleted_at is null`

/** In the order of the keys: processes that count at the same time must not wait for each other in a circle. */
const addShareViews = `
  with added as (
    select * from json_to_recordset($1) as given (key bigint, count integer, last_at timestamptz)
  ), held as (
    select s.key from conversations.share s where s.key in (select key from added) order by s.key for no key update
  )
  update conversations.share s
  set view_count = s.view_count + added.count, last_viewed_at = greatest(s.last_viewed_at, added.last_at)
  from added join held on held.key = added.key
  where s.key = added.key`
