import { type Actor, requireActor, requireAdmin } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import {
  type Connection,
  type PageArguments,
  toConnection,
  toPage,
  totalByPage,
} from '../../../platform/pagination.ts'
import { optionalText } from '../../../platform/text.ts'
import { givenItems } from '../content/item-input.ts'
import { clientMetadata, type Metadata, replacedMetadata, titleLock } from '../content/metadata.ts'
import { givenTitle, isTitle } from '../content/title.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { ChangeKind } from '../live/conversation-change.ts'
import type { OwnProject } from '../own-project.ts'
import type { CreateConversationInput, UpdateConversationInput } from '../schema.generated.ts'
import { writableBranch } from '../sources/branch-writes.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import {
  type ConversationChange,
  changeConversation,
  createConversation,
  deleteAllConversations,
  deleteConversations,
  type LockedConversation,
  lockConversation,
} from '../sources/conversation-writes.ts'
import type { ConversationFilter, ConversationSource } from '../sources/conversations.ts'
import { appendItems } from '../sources/item-writes.ts'
import { type Connection as Statements, transaction } from '../sources/transaction.ts'
import { type ProjectColumns, pinnedColumns, projectColumns } from './project-of.ts'

const maxReferrerLength = 64
/** Contract 3.1, the ceiling of batches. */
const maxIdsPerWrite = 100

/** A list of conversations, and what is in it as a whole. */
export interface ConversationPage extends Connection<ConversationRow> {
  /** Null: nothing, for the project of the filter does not exist. */
  readonly filter: ConversationFilter | null
  /** How many there are on all pages, where that is known without counting them. */
  readonly knownTotal: number | null
}

/** Arguments of lists. */
export interface ConversationListArguments extends PageArguments {
  readonly referrer?: string | null
  readonly projectId?: string | null
  readonly archived?: boolean | null
  readonly scope?: 'MINE' | 'ALL' | null
}

/** What the rules of conversations need. */
export interface ConversationScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly conversations: ConversationSource
  readonly changes: Pick<ChangePublisher, 'tell'>
  /** The actor's project of that id, if there is one; asked of the graph. */
  readonly ownProject: (id: string) => Promise<OwnProject | null>
}

/** The rules of conversations. Everything acts for `actor`: another owner's conversation does not exist for it. */
export function conversationService({
  actor,
  database,
  conversations,
  changes,
  ownProject,
}: ConversationScope) {
  const owner = () => requireActor(actor).id
  const tell = (kind: ChangeKind, conversationId: string | null) =>
    changes.tell({ ownerId: owner(), conversationId, kind, items: [] })

  const existing = async (id: string): Promise<ConversationRow> =>
    (await conversations.byId(owner(), id)) ?? conversationNotFound()

  const projectChange = async (
    id: string,
    projectId: string | null | undefined,
    pin: boolean | null | undefined,
  ): Promise<Partial<ProjectColumns>> => {
    if (projectId !== undefined) return projectColumns(ownProject, projectId, pin)
    return pin == null ? {} : pinnedColumns(ownProject, (await existing(id)).projectId ?? null, pin)
  }

  const listOf = async (filter: ConversationFilter, args: PageArguments): Promise<ConversationPage> => {
    const page = toPage(args)
    const rows = await conversations.page(filter, page)
    const knownTotal = totalByPage(rows, page)
    return { ...toConnection(rows, page, ({ publicId }) => publicId), filter, knownTotal }
  }

  return {
    byId: (id: string): Promise<ConversationRow | null> => conversations.byId(owner(), id),

    existing,

    /** @throws AppError `invalid_cursor`, `admin_required`; `invalid_id` when `projectId` is malformed */
    async page({
      referrer,
      projectId,
      archived,
      scope,
      ...args
    }: ConversationListArguments): Promise<ConversationPage> {
      const ownerId = scope === 'ALL' ? everybody(actor) : owner()
      if (projectId != null) {
        assertIdShape('project', projectId, 'project_id')
        if (scope !== 'ALL' && !(await ownProject(projectId))) return emptyPage
      }
      return listOf(
        {
          ownerId,
          referrer: givenReferrer(referrer),
          projectId: projectId ?? null,
          archived: archived ?? null,
        },
        args,
      )
    },

    /** The conversations of a project that the graph has resolved already. */
    pageOfProject: (projectId: string, args: PageArguments): Promise<ConversationPage> =>
      listOf({ ownerId: owner(), referrer: null, projectId, archived: null }, args),

    /** How many there are on all pages of the list. */
    total: async ({ filter, knownTotal }: ConversationPage): Promise<number> =>
      knownTotal ?? (filter === null ? 0 : conversations.count(filter)),

    /** @throws AppError `project_not_found`, `max_items_exceeded`, `input_too_large`, `invalid_parameter` */
    async create({
      title,
      metadata,
      referrer,
      projectId,
      items,
      pinInstruction,
    }: CreateConversationInput): Promise<ConversationRow> {
      const ownerId = owner()
      const drafts = givenItems(items ?? [])
      const fields = {
        ...titleFields(title ?? null),
        metadata: clientMetadata(metadata),
        referrer: givenReferrer(referrer),
        ...(await projectColumns(ownProject, projectId, pinInstruction)),
      }
      const id = await transaction(database, async (db) => {
        const created = await createConversation(db, ownerId, fields)
        await appendItems(db, { conversationKey: created.key, branchKey: created.activeBranchKey }, drafts)
        return created.id
      })
      tell('CREATED', id)
      return existing(id)
    },

    /** A title that is changed by hand while there are items to go by is never changed by the platform again (contract 2.4), unless it is taken away. */
    async update({
      id,
      title,
      metadata,
      referrer,
      projectId,
      isArchived,
      pinInstruction,
    }: UpdateConversationInput): Promise<ConversationRow> {
      const ownerId = owner()
      const client = metadata === undefined ? undefined : clientMetadata(metadata)
      const change: ConversationChange = {
        ...(title === undefined ? {} : titleFields(title)),
        ...(referrer === undefined ? {} : { referrer: givenReferrer(referrer) }),
        ...(await projectChange(id, projectId, pinInstruction)),
        ...(isArchived == null ? {} : { archivedAt: isArchived ? new Date() : null }),
      }
      await transaction(database, async (db) => {
        const locked = (await lockConversation(db, ownerId, id)) ?? conversationNotFound()
        const kept = client === undefined ? locked.metadata : replacedMetadata(locked.metadata, client)
        const lock = await titleLockOf(db, locked, change.title)
        await changeConversation(db, locked.key, {
          ...change,
          ...changedMetadata(kept, client !== undefined, lock),
        })
      })
      tell('UPDATED', id)
      conversations.clearLoaders()
      return existing(id)
    },

    /** @throws AppError `conversation_not_found` */
    async remove(id: string): Promise<{ id: string }> {
      const ownerId = owner()
      const deleted = await transaction(database, (db) => deleteConversations(db, ownerId, [id]))
      if (deleted.length === 0) return conversationNotFound()
      tell('DELETED', id)
      return { id }
    },

    async removeAll(): Promise<{ count: number }> {
      const ownerId = owner()
      const count = await deleteAllConversations(database, ownerId)
      if (count > 0) tell('DELETED', null)
      return { count }
    },

    /** What is not there, another's included, is told as failed. @throws AppError `invalid_parameter`, `max_items_exceeded` */
    async removeMany(given: readonly string[]): Promise<{ count: number; failedIds: string[] }> {
      const ownerId = owner()
      const ids = [...new Set(given)]
      if (ids.length === 0) {
        throw new AppError('invalid_parameter', 'conversation_ids must not be empty.', {
          param: 'conversation_ids',
        })
      }
      if (given.length > maxIdsPerWrite) {
        throw new AppError('max_items_exceeded', `At most ${maxIdsPerWrite} can be deleted at once.`, {
          param: 'conversation_ids',
        })
      }
      const deleted = new Set(await transaction(database, (db) => deleteConversations(db, ownerId, ids)))
      for (const id of deleted) tell('DELETED', id)
      return { count: deleted.size, failedIds: ids.filter((id) => !deleted.has(id)) }
    },
  }
}

/** The service of one request. */
export type ConversationService = ReturnType<typeof conversationService>

const emptyPage: ConversationPage = {
  edges: [],
  nodes: [],
  pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  filter: null,
  knownTotal: 0,
}

/**
 * The one answer for what does not exist and what is another's.
 * @param param the wire's name of the field that named it, where it was no path
 */
export function conversationNotFound(param: string | null = null): never {
  throw new AppError('conversation_not_found', 'There is no such conversation.', { param })
}

function everybody(actor: Actor | null): null {
  requireAdmin(actor)
  return null
}

/** @throws AppError `invalid_parameter` naming `referrer` */
export function givenReferrer(referrer: string | null | undefined): string | null {
  return optionalText(referrer, { param: 'referrer', max: maxReferrerLength, singleLine: true })
}

function titleFields(given: string | null): { title: string | null; titleGiven: boolean } {
  const title = given === null ? null : givenTitle(given)
  return { title, titleGiven: isTitle(title) }
}

async function hasSeveralItems(db: Statements, conversation: LockedConversation): Promise<boolean> {
  const branch = await writableBranch(db, conversation, null)
  return (branch?.itemCount ?? 0) > 1
}

/** Whether a change of the title locks it; null where that stays as it is. What counts as no title leaves it to the platform again. */
async function titleLockOf(
  db: Statements,
  conversation: LockedConversation,
  title: string | null | undefined,
): Promise<boolean | null> {
  if (title === undefined || title === conversation.title) return null
  if (!isTitle(title)) return false
  return (await hasSeveralItems(db, conversation)) || null
}

function changedMetadata(metadata: Metadata, changed: boolean, lock: boolean | null): ConversationChange {
  if (lock) return { metadata: { ...metadata, [titleLock]: 'true' } }
  const { [titleLock]: locked, ...unlocked } = metadata
  if (lock === false && locked !== undefined) return { metadata: unlocked }
  return changed ? { metadata } : {}
}
