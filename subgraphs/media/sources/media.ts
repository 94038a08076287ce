import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { type MediaRow, mediaColumns } from './media-row.ts'

/** Reads media. Every statement but `anyones` is narrowed to one owner; what others own does not exist here. */
export interface MediaSource {
  byId(ownerId: string, id: string): Promise<MediaRow | null>
  /** Up to `limit + 1` media. @throws AppError `invalid_cursor` */
  page(ownerId: string, page: Page): Promise<MediaRow[]>
  count(ownerId: string): Promise<number>
  anyones(id: string): Promise<MediaRow | null>
  clearLoaders(): void
}

/** A source for one request. */
export function mediaSource(database: SubgraphDatabase): MediaSource {
  const loaders = new Map<string, DataLoader<string, MediaRow | null>>()
  const loaderOf = (ownerId: string) => {
    const known = loaders.get(ownerId)
    if (known) return known
    const fresh = new DataLoader<string, MediaRow | null>((ids) => readMany(database, ownerId, ids))
    loaders.set(ownerId, fresh)
    return fresh
  }

  return {
    byId: (ownerId, id) => loaderOf(ownerId).load(id),
    clearLoaders: () => loaders.clear(),

    async page(ownerId, { limit, after, offset, descending }) {
      const rows = await database.prepared<MediaRow>(
        descending ? 'media_page_desc' : 'media_page_asc',
        pageOf(descending),
        [ownerId, after, limit + 1, offset],
      )
      if (rows.length > 0 || after === null) return rows
      const [known] = await database.prepared('media_cursor', cursor, [ownerId, after])
      if (!known) throw invalidCursor(after)
      return rows
    },

    async count(ownerId) {
      const [row] = await database.prepared<{ count: number }>('media_count', count, [ownerId])
      return row?.count ?? 0
    },

    async anyones(id) {
      const [row] = await database.prepared<MediaRow>('media_of_anybody', anyones, [id])
      return row ?? null
    },
  }
}

async function readMany(database: SubgraphDatabase, ownerId: string, ids: readonly string[]) {
  const rows = await database.prepared<MediaRow>('media_by_id', byIds, [ownerId, ids])
  const byId = new Map(rows.map((row) => [row.publicId, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

const byIds = `select ${mediaColumns} from media.media m where m.owner_id = $1 and m.public_id = any($2::text[])`
const anyones = `select ${mediaColumns} from media.media m where m.public_id = $1`
const count = 'select count(*)::integer as count from media.media where owner_id = $1'
const cursor = 'select 1 from media.media where owner_id = $1 and public_id = $2'

function pageOf(descending: boolean): string {
  const [comparison, direction] = descending ? ['<', 'desc'] : ['>', 'asc']
  return `
    select ${mediaColumns} from media.media m
    where m.owner_id = $1 and ($2::text is null or m.key ${comparison} (
      select c.key from media.media c where c.owner_id = $1 and c.public_id = $2
    ))
    order by m.key ${direction} limit $3 offset $4`
}
