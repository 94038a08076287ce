import DataLoader from 'dataloader'
import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import type { OwnedRows } from '../../../platform/owned-rows.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { Conversation } from '../entities.ts'
import type { ConversationPages, OwnerFilter } from './conversation-pages.ts'
import type { ConversationRow } from './conversation-row.ts'
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

/** What conversations are read with. */
interface ConversationScope {
  readonly database: SubgraphDatabase
  readonly byId: OwnedRows<ConversationRow>
  readonly pages: ConversationPages
  readonly settled: SettledKey
}

/** A source for one request; what is settled, all requests of a process ask together. */
export function conversationSource({
  database,
  byId,
  pages,
  settled,
}: ConversationScope): ConversationSource {
  const loaders = new Map<string, DataLoader<string, ConversationRow | null>>()
  const loaderOf = (ownerId: string) => {
    const known = loaders.get(ownerId)
    if (known) return known
    const fresh = new DataLoader<string, ConversationRow | null>((ids) => byId.read(ownerId, ids))
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
        ? pages.read(filter, { ...page, upTo })
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
