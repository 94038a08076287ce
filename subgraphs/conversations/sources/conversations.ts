import DataLoader from 'dataloader'
import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { Conversation } from '../entities.ts'
import { type OwnerFilter, readPage } from './conversation-pages.ts'
import {
  type ConversationColumns,
  type ConversationRow,
  conversationColumns,
  conversationRow,
} from './conversation-row.ts'
import { projectLists } from './project-lists.ts'
import type { SettledKey } from './settled-key.ts'

/** Which conversations a list holds. */
export interface ConversationFilter extends OwnerFilter {
  readonly projectId: string | null
}

/** Reads conversations. What is deleted does not exist, except as a cursor. */
export interface ConversationSource {
  byId(ownerId: string, id: string): Promise<ConversationRow | null>
  /**
   * Up to `limit + 1` conversations; pages of many projects come in one statement. Whoever reads on from the last of them passes nothing
   * over that is made meanwhile, in either order.
   * @throws AppError `invalid_cursor`
   */
  page(filter: ConversationFilter, page: Page): Promise<ConversationRow[]>
  count(filter: ConversationFilter): Promise<number>
  clearLoaders(): void
}

/** A source for one request; what is settled, all requests of a process ask together. */
export function conversationSource(database: SubgraphDatabase, settled: SettledKey): ConversationSource {
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
      const upTo = page.descending ? null : await settled()
      const rows = await (projectId === null
        ? readPage(database, filter, { ...page, upTo })
        : ofProjects.page({ ...filter, projectId }, { ...page, upTo }))
      if (rows.length === 0 && after !== null) await assertCursor(database.fork(), filter, after)
      return rows
    },

    count: ({ projectId, ...filter }) =>
      projectId === null
        ? database.fork().count(Conversation, condition(filter))
        : ofProjects.count({ ...filter, projectId }),
  }
}

function condition({ ownerId, referrer, archived }: OwnerFilter) {
  return {
    deletedAt: null,
    ...(ownerId === null ? {} : { ownerId }),
    ...(referrer === null ? {} : { referrer }),
    ...(archived === null ? {} : { archivedAt: archived ? { $ne: null } : null }),
  }
}

async function assertCursor(em: EntityManager, { ownerId }: OwnerFilter, after: string): Promise<void> {
  const known = await em.count(Conversation, { publicId: after, ...(ownerId === null ? {} : { ownerId }) })
  if (known === 0) throw invalidCursor(after)
}

/**
 * The ids alone find the rows. Planned for any owner, the condition on the owner would be looked up too, and an account of 100,000
 * conversations is no usual one.
 */
const conversationsById = `
  select ${conversationColumns('c', 'b')}
  from (select * from conversations.conversation where public_id = any($1::text[]) offset 0) c
  join conversations.branch b on b.key = c.active_branch_key
  where c.owner_id = $2 and c.deleted_at is null`

async function readMany(database: SubgraphDatabase, ownerId: string, ids: readonly string[]) {
  const rows = await database.prepared<ConversationColumns>('conversations_by_id', conversationsById, [
    ids,
    ownerId,
  ])
  const byId = new Map(rows.map((row) => [row.publicId, conversationRow(row)]))
  return ids.map((id) => byId.get(id) ?? null)
}
