import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { Media } from '../entities.ts'
import { type MediaAmong, mediaAmong } from './media-among.ts'
import { type MediaRow, mediaColumns } from './media-row.ts'

/** Reads media. Every statement but `anyones` is narrowed to one owner; what others own does not exist here. */
export interface MediaSource extends MediaAmong {
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
    ...mediaAmong(database),
    byId: (ownerId, id) => loaderOf(ownerId).load(id),
    clearLoaders: () => loaders.clear(),

    async page(ownerId, { limit, after, offset, descending }) {
      const em = database.fork()
      const query = em
        .createQueryBuilder(Media, 'm')
        .where({ ownerId })
        .orderBy({ key: descending ? 'desc' : 'asc' })
        .limit(limit + 1)
        .offset(offset)
      if (after !== null) {
        const comparison = descending ? '<' : '>'
        query.andWhere(
          `m.key ${comparison} (select c.key from media.media c where c.public_id = ? and c.owner_id = ?)`,
          [after, ownerId],
        )
      }
      const rows = await query.getResultList()
      if (rows.length === 0 && after !== null && (await em.count(Media, { ownerId, publicId: after })) === 0)
        throw invalidCursor(after)
      return rows.map(rowOf)
    },

    count: (ownerId) => database.fork().count(Media, { ownerId }),

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

function rowOf({ sha256, filename = null, retentionUntil = null, ...rest }: Media): MediaRow {
  return { ...rest, filename, retentionUntil, sha256: Buffer.from(sha256).toString('hex') }
}
