import DataLoader from 'dataloader'
import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { Conversation } from '../entities.ts'
import {
  type ConversationColumns,
  type ConversationRow,
  conversationColumns,
  conversationRow,
} from './conversation-row.ts'
import { projectLists } from './project-lists.ts'

/** Which conversations a list holds. */
export interface ConversationFilter {
  /** Null: everybody's. */
  readonly ownerId: string | null
  readonly referrer: string | null
  readonly projectId: string | null
}

/** Reads conversations. What is deleted does not exist, except as a cursor. */
export interface ConversationSource {
  byId(ownerId: string, id: string): Promise<ConversationRow | null>
  /** Up to `limit + 1` conversations; pages of many projects come in one statement. @throws AppError `invalid_cursor` */
  page(filter: ConversationFilter, page: Page): Promise<ConversationRow[]>
  count(filter: ConversationFilter): Promise<number>
  clearLoaders(): void
}

/** A source for one request. */
export function conversationSource(database: SubgraphDatabase): ConversationSource {
  const loaders = new Map<string, DataLoader<string, ConversationRow | null>>()
  const loaderOf = (ownerId: string) => {
    const known = loaders.get(ownerId)
    if (known) return known
    const fresh = new DataLoader<string, ConversationRow | null>((ids) => readMany(database, ownerId, ids))
    loaders.set(ownerId, fresh)
    return fresh
  }
  const ofProjects = projectLists(database)

  return {
    byId: async (ownerId, id) => (hasIdShape('conversation', id) ? loaderOf(ownerId).load(id) : null),
    clearLoaders: () => loaders.clear(),

    async page(filter, page) {
      const { after } = page
      if (after !== null && !hasIdShape('conversation', after)) throw invalidCursor(after)
      const { projectId } = filter
      const rows = await (projectId === null
        ? readPage(database, filter, page)
        : ofProjects.page({ ...filter, projectId }, page))
      if (rows.length === 0 && after !== null) await assertCursor(database.fork(), filter, after)
      return rows
    },

    count: ({ projectId, ...filter }) =>
      projectId === null
        ? database.fork().count(Conversation, condition(filter))
        : ofProjects.count({ ...filter, projectId }),
  }
}

type OwnerFilter = Omit<ConversationFilter, 'projectId'>

async function readPage(
  database: SubgraphDatabase,
  filter: OwnerFilter,
  { limit, after, offset, descending }: Page,
): Promise<ConversationRow[]> {
  const query = database
    .fork()
    .createQueryBuilder(Conversation, 'c')
    .leftJoinAndSelect('c.activeBranch', 'b')
    .where(condition(filter))
    .orderBy({ key: descending ? 'desc' : 'asc' })
    .limit(limit + 1)
    .offset(offset)
  if (after !== null) query.andWhere(cursorCondition(filter, descending), cursorParameters(filter, after))
  return query.getResultList()
}

function condition({ ownerId, referrer }: OwnerFilter) {
  return {
    deletedAt: null,
    ...(ownerId === null ? {} : { ownerId }),
    ...(referrer === null ? {} : { referrer }),
  }
}

/** The cursor's key is found in the statement that uses it; whose it is matters, whether it still lives does not. */
function cursorCondition({ ownerId }: OwnerFilter, descending: boolean): string {
  const owned = ownerId === null ? '' : ' and k.owner_id = ?'
  return `c.key ${descending ? '<' : '>'} (select k.key from conversations.conversation k where k.public_id = ?${owned})`
}

function cursorParameters({ ownerId }: OwnerFilter, after: string): string[] {
  return ownerId === null ? [after] : [after, ownerId]
}

async function assertCursor(em: EntityManager, { ownerId }: OwnerFilter, after: string): Promise<void> {
  const known = await em.count(Conversation, { publicId: after, ...(ownerId === null ? {} : { ownerId }) })
  if (known === 0) throw invalidCursor(after)
}

const conversationsById = `
  select ${conversationColumns('c', 'b')}
  from conversations.conversation c join conversations.branch b on b.key = c.active_branch_key
  where c.public_id = any($1::text[]) and c.owner_id = $2 and c.deleted_at is null`

async function readMany(database: SubgraphDatabase, ownerId: string, ids: readonly string[]) {
  const rows = await database.prepared<ConversationColumns>('conversations_by_id', conversationsById, [
    ids,
    ownerId,
  ])
  const byId = new Map(rows.map((row) => [row.publicId, conversationRow(row)]))
  return ids.map((id) => byId.get(id) ?? null)
}
