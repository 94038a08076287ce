import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import {
  type PageArguments,
  type Connection as PageOf,
  toConnection,
  toPage,
} from '../../../platform/pagination.ts'
import { optionalText, requiredText } from '../../../platform/text.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { BranchInput, CreateBranchInput } from '../schema.generated.ts'
import { conversationNotFound } from '../service/conversations.ts'
import { branchNotFound, itemNotFound } from '../service/items.ts'
import {
  activateBranch,
  assertRoomForBranch,
  branchName,
  createBranch,
  deleteBranch,
  hasRunningTurn,
  itemPlace,
  mainBranch,
  type WritableBranch,
  writableBranch,
} from '../sources/branch-writes.ts'
import type { BranchRow, BranchSource } from '../sources/branches.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import { type LockedConversation, lockConversation } from '../sources/conversation-writes.ts'
import type { ConversationSource } from '../sources/conversations.ts'
import { conversationFull, maxItemsPerBranch } from '../sources/item-writes.ts'
import { type Connection, transaction } from '../sources/transaction.ts'

const maxNameLength = 64
const maxDescriptionLength = 1024
/** More than other lists have: whoever asks for no page means them all. */
const defaultPageSize = 100

/** A page of branches. */
export type BranchPage = PageOf<BranchRow>

/** What the rules of branches need. */
export interface BranchScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly branches: BranchSource
  readonly conversations: ConversationSource
  readonly changes: Pick<ChangePublisher, 'tell'>
  /** How many branches a conversation may have. */
  readonly maxBranches: number
}

/** The rules of branches (contract 3.4). Who was handed a conversation may read its branches; writes act for `actor`. */
export function branchService({
  actor,
  database,
  branches,
  conversations,
  changes,
  maxBranches,
}: BranchScope) {
  const owner = () => requireActor(actor).id

  /** Work on an owner's conversation whose branches nobody else changes meanwhile. */
  const locked = async <T>(
    conversationId: string,
    work: (db: Connection, conversation: LockedConversation) => Promise<T>,
  ): Promise<T> => {
    const ownerId = owner()
    const done = await transaction(database, async (db) =>
      work(db, (await lockConversation(db, ownerId, conversationId)) ?? conversationNotFound()),
    )
    branches.clearLoaders()
    conversations.clearLoaders()
    changes.tell({ ownerId, conversationId, kind: 'UPDATED', items: [{ kind: 'RESYNC', id: null }] })
    return done
  }

  return {
    /** The first page of them. */
    ofConversation: async ({ key }: ConversationRow): Promise<BranchRow[]> => {
      const page = toPage({ first: defaultPageSize })
      return toConnection(await branches.page(key, page), page, ({ name }) => name).nodes
    },

    /** @throws AppError `invalid_cursor`, `invalid_parameter` */
    async page({ key }: ConversationRow, { first, ...args }: PageArguments): Promise<BranchPage> {
      const page = toPage({ first: first ?? defaultPageSize, ...args })
      return toConnection(await branches.page(key, page), page, ({ name }) => name)
    },

    byName: ({ key }: ConversationRow, name: string): Promise<BranchRow | null> => branches.byName(key, name),

    /** @throws AppError `invalid_parameter`, `conversation_not_found`, `not_found` naming `parent_branch`, `item_not_found`, `already_exists`, `conversation_full` */
    async create({
      conversationId,
      name: given,
      description,
      parentBranch,
      forkFromItemId,
    }: CreateBranchInput): Promise<BranchRow> {
      const name = givenName(given)
      const note = optionalText(description, { param: 'description', max: maxDescriptionLength })
      const key = await locked(conversationId, async (db, conversation) => {
        const parent =
          (await writableBranch(db, conversation, parentBranch ?? null)) ?? branchNotFound('parent_branch')
        if (await writableBranch(db, conversation, name)) throw nameTaken()
        const upTo =
          forkFromItemId == null ? null : await forkPosition(db, conversation, parent, forkFromItemId)
        if ((upTo?.position ?? parent.itemCount) > maxItemsPerBranch) conversationFull()
        await assertRoomForBranch(db, conversation, maxBranches)
        await createBranch(db, { name, description: note, parentKey: parent.key, upTo })
        return conversation.key
      })
      const created = await branches.byName(key, name)
      return created ?? branchNotFound('name')
    },

    /** @throws AppError `conversation_not_found`, `not_found`, `invalid_parameter`, `request_in_progress` */
    async remove({ conversationId, name }: BranchInput): Promise<{ name: string }> {
      return locked(conversationId, async (db, conversation) => {
        const branch = (await writableBranch(db, conversation, name)) ?? branchNotFound(null)
        if (branch.name === mainBranch) throw undeletable('MAIN can not be deleted.')
        if (branch.key === conversation.activeBranchKey)
          throw undeletable('The active branch can not be deleted: activate another one first.')
        if (await hasRunningTurn(db, conversation, branch.key))
          throw new AppError('request_in_progress', 'An answer is being written on this branch.')
        await deleteBranch(db, conversation, branch.key)
        return { name: branch.name }
      })
    },

    /** @throws AppError `conversation_not_found`, `not_found` */
    async activate({ conversationId, name }: BranchInput): Promise<ConversationRow> {
      await locked(conversationId, async (db, conversation) => {
        const branch = (await writableBranch(db, conversation, name)) ?? branchNotFound(null)
        await activateBranch(db, conversation, branch.key)
      })
      return (await conversations.byId(owner(), conversationId)) ?? conversationNotFound()
    },
  }
}

/** The service of one request. */
export type BranchService = ReturnType<typeof branchService>

/** @throws AppError `invalid_parameter` naming `name` */
function givenName(given: string): string {
  const name = requiredText(given.trim(), { param: 'name', max: maxNameLength, singleLine: true })
  if (branchName(name) === mainBranch) throw invalidName('MAIN is there already: choose another name.')
  // no URL could name it
  if (name === '.' || name === '..') throw invalidName('name must not be a path.')
  return name
}

/** @throws AppError `item_not_found` naming `fork_from_item_id` where the parent does not have the item */
async function forkPosition(
  db: Connection,
  conversation: LockedConversation,
  parent: WritableBranch,
  id: string,
) {
  const place = await itemPlace(db, conversation, parent.key, id)
  if (place?.branchKey !== parent.key) return itemNotFound('fork_from_item_id')
  return { position: place.position, id }
}

function invalidName(message: string): AppError {
  return new AppError('invalid_parameter', message, { param: 'name' })
}

function nameTaken(): AppError {
  return new AppError('already_exists', 'The conversation has a branch of that name.', { param: 'name' })
}

function undeletable(message: string): AppError {
  return new AppError('invalid_parameter', message, { param: 'name' })
}
