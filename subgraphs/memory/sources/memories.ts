import { LockMode } from '@mikro-orm/postgresql'
import DataLoader from 'dataloader'
import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { isUniqueViolation } from '../../../platform/postgres-errors.ts'
import { MemoryItem } from '../entities.ts'
import type { MemoryScope } from '../schema.generated.ts'
import { type MemoryRow, memoryColumns } from './memory-row.ts'
import { changingMemories, removeMemories } from './memory-writes.ts'

/** Which memories of an owner a list holds. */
export interface MemoryFilter {
  readonly scope: MemoryScope | null
  readonly projectId: string | null
}

/** What may change of a memory. */
export type MemoryChange = Partial<Pick<MemoryItem, 'topic' | 'text' | 'importance' | 'kind' | 'confidence'>>

/** How many memories there are of each scope, and how many of all have a vector. */
export interface MemoryCounts {
  readonly scopes: ReadonlyMap<MemoryScope, number>
  readonly embedded: number
}

/** The SQL of memories, one by one. Every statement is narrowed to one owner; what others own does not exist here. */
export interface MemorySource {
  byId(ownerId: string, id: string): Promise<MemoryRow | null>
  /** Up to `limit + 1` memories; one that was forgotten of late still is a cursor. @throws AppError `invalid_cursor` */
  page(ownerId: string, filter: MemoryFilter, page: Page): Promise<MemoryRow[]>
  count(ownerId: string, filter: MemoryFilter): Promise<number>
  counts(ownerId: string, projectId: string | null): Promise<MemoryCounts>
  /** All of an owner's, oldest first. */
  all(ownerId: string): Promise<MemoryRow[]>
  /** Null when the owner has no such memory. @throws AppError `already_exists` */
  update(ownerId: string, id: string, change: MemoryChange): Promise<MemoryRow | null>
  /** The ids of those that were there. */
  remove(ownerId: string, ids: readonly string[]): Promise<string[]>
  clearLoaders(): void
}

/** A source for one request. */
export function memorySource(database: SubgraphDatabase): MemorySource {
  const loaders = new Map<string, DataLoader<string, MemoryRow | null>>()
  const loaderOf = (ownerId: string) => {
    const known = loaders.get(ownerId)
    if (known) return known
    const fresh = new DataLoader<string, MemoryRow | null>((ids) => readMany(database, ownerId, ids))
    loaders.set(ownerId, fresh)
    return fresh
  }

  return {
    byId: (ownerId, id) => loaderOf(ownerId).load(id),
    clearLoaders: () => loaders.clear(),

    async page(ownerId, filter, { limit, after, offset, descending }) {
      const em = database.fork()
      const query = em
        .createQueryBuilder(MemoryItem, 'm')
        .where(condition(ownerId, filter))
        .orderBy({ key: descending ? 'desc' : 'asc' })
        .limit(limit + 1)
        .offset(offset)
      if (after !== null) {
        query.andWhere(
          `m.key ${descending ? '<' : '>'} (
            select c.key from memory.item c where c.public_id = ? and c.owner_id = ?
            union all select f.key from memory.forgotten f where f.public_id = ? and f.owner_id = ?)`,
          [after, ownerId, after, ownerId],
        )
      }
      const rows = await query.getResultList()
      if (rows.length === 0 && after !== null) await assertCursor(database, ownerId, after)
      return rows
    },

    count: (ownerId, filter) => database.fork().count(MemoryItem, condition(ownerId, filter)),

    async counts(ownerId, projectId) {
      const rows = await database.prepared<{ scope: MemoryScope; count: number; embedded: number }>(
        'memory_counts',
        countsByScope,
        [ownerId, projectId],
      )
      return {
        scopes: new Map(rows.map(({ scope, count }) => [scope, count])),
        embedded: rows.reduce((sum, { embedded }) => sum + embedded, 0),
      }
    },

    all: (ownerId) => database.prepared<MemoryRow>('memories_of_owner', allOfOwner, [ownerId]),

    update: (ownerId, id, change) =>
      refusingDuplicates(() =>
        changingMemories(database, ownerId, async (db, em) => {
          const item = await em.findOne(
            MemoryItem,
            { ownerId, publicId: id },
            { lockMode: LockMode.PESSIMISTIC_WRITE },
          )
          if (!item) return null
          const says = ({ topic = item.topic, text = item.text }) => JSON.stringify([topic, text])
          const isNews = says(change) !== says(item)
          em.assign(item, { ...change, revision: item.revision + (isNews ? 1 : 0), updatedAt: new Date() })
          await em.flush()
          if (isNews)
            await sql`update memory.item set embedding = null, embedding_model = null, claimed_until = null
              where key = ${item.key}`.execute(db)
          return item
        }),
      ),

    remove: (ownerId, ids) => changingMemories(database, ownerId, (db) => removeMemories(db, ownerId, ids)),
  }
}

function condition(ownerId: string, { scope, projectId }: MemoryFilter) {
  return {
    ownerId,
    ...(scope === null ? {} : { scope }),
    ...(projectId === null ? {} : { projectId }),
  }
}

const memoriesById = `
  select ${memoryColumns('m')} from memory.item m where m.public_id = any($1::text[]) and m.owner_id = $2`

const allOfOwner = `select ${memoryColumns('m')} from memory.item m where m.owner_id = $1 order by m.key`

const countsByScope = `
  select scope, count(*)::integer as count, count(embedding)::integer as embedded from memory.item
  where owner_id = $1 and ($2::text is null or project_id = $2) group by scope`

async function readMany(database: SubgraphDatabase, ownerId: string, ids: readonly string[]) {
  const rows = await database.prepared<MemoryRow>('memories_by_id', memoriesById, [ids, ownerId])
  const byId = new Map(rows.map((row) => [row.publicId, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

const cursorOfOwner = `
  select from memory.item where public_id = $1 and owner_id = $2
  union all select from memory.forgotten where public_id = $1 and owner_id = $2`

/** An empty page is right at the end of a list, and wrong for a cursor that names nothing. A memory that was forgotten of late still counts. */
async function assertCursor(database: SubgraphDatabase, ownerId: string, after: string): Promise<void> {
  const known = await database.prepared('memory_cursor', cursorOfOwner, [after, ownerId])
  if (known.length === 0) throw invalidCursor(after)
}

async function refusingDuplicates<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isUniqueViolation(error, 'item_topic')) throw error
    throw new AppError('already_exists', 'You have a memory of that key already.', {
      param: 'key',
      cause: error,
    })
  }
}
