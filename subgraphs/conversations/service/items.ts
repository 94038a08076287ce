import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Connection, type Page, type PageArguments, toConnection } from '../../../platform/pagination.ts'
import { givenItems } from '../content/item-input.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { AddItemsInput, DeleteItemInput } from '../schema.generated.ts'
import {
  assertRoomForBranch,
  findItem,
  forkToMain,
  mainBranch,
  retireIds,
  writableBranch,
} from '../sources/branch-writes.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import { lockConversation } from '../sources/conversation-writes.ts'
import type { ItemRow } from '../sources/item-row.ts'
import { appendItems } from '../sources/item-writes.ts'
import type { BranchRef, ItemSource } from '../sources/items.ts'
import { transaction } from '../sources/transaction.ts'
import { conversationNotFound } from './conversations.ts'

/** A page of a branch. */
export interface ItemPage extends Connection<ItemRow> {
  readonly totalCount: number
}

/** Arguments of a page of items. */
export interface ItemListArguments extends PageArguments {
  readonly branch?: string | null
}

/** What adding items gave. */
export interface AddedItems {
  readonly items: readonly ItemRow[]
  readonly conversationId: string
}

/** What deleting an item did. */
export interface DeletedItem {
  readonly id: string
  readonly branch: string
  readonly oldMainBackup: string
  readonly conversationId: string
}

/** What the rules of items need. */
export interface ItemScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly items: ItemSource
  readonly changes: Pick<ChangePublisher, 'tell'>
  /** How many branches a conversation may have. */
  readonly maxBranches: number
}

const defaultPageSize = 20
const maxPageSize = 500

/** The rules of items. Who was handed a conversation may read what is in it; everything else acts for `actor`. */
export function itemService({ actor, database, items, changes, maxBranches }: ItemScope) {
  const owner = () => requireActor(actor).id

  return {
    byId: (id: string): Promise<ItemRow | null> => items.byId(owner(), id),

    async ofConversation(conversation: ConversationRow, id: string): Promise<ItemRow | null> {
      const item = await items.byId(conversation.ownerId, id)
      return item?.conversationKey === conversation.key ? item : null
    },

    /** @throws AppError `not_found` naming `branch`, `invalid_cursor`, `invalid_parameter` for what `assertWhole` refuses */
    async page(
      conversation: ConversationRow,
      { branch: name, ...args }: ItemListArguments,
    ): Promise<ItemPage> {
      const branch = await branchOf(items, conversation, name)
      const page = itemPage(args)
      const { rows, isCut } = await items.page(branch, page)
      if (isCut && args.offset != null) assertWhole(rows, page)
      const { pageInfo, ...listed } = toConnection(rows, page, ({ publicId }) => publicId)
      const hasNextPage = isCut || pageInfo.hasNextPage
      return { ...listed, pageInfo: { ...pageInfo, hasNextPage }, totalCount: branch.itemCount }
    },

    /** @throws AppError `conversation_not_found`, `not_found` naming `branch`, and what `givenItems` refuses */
    async add({ conversationId, branch: name, items: given }: AddItemsInput): Promise<AddedItems> {
      const ownerId = owner()
      if (given.length === 0)
        throw new AppError('invalid_parameter', 'items must not be empty.', { param: 'items' })
      const drafts = givenItems(given)
      const added = await transaction(database, async (db) => {
        const conversation = (await lockConversation(db, ownerId, conversationId)) ?? conversationNotFound()
        const branch = (await writableBranch(db, conversation, name ?? null)) ?? branchNotFound('branch')
        return appendItems(db, { conversationKey: conversation.key, branchKey: branch.key }, drafts)
      })
      const created = added.map(({ publicId: id }) => ({ kind: 'CREATED' as const, id }))
      changes.tell({ ownerId, conversationId, kind: 'UPDATED', items: created })
      return { items: added, conversationId }
    },

    /** Contract 3.3 and 3.4: nothing is lost, the former main branch is kept. @throws AppError `conversation_not_found`, `item_not_found`, `conversation_full` */
    async remove({ conversationId, itemId }: DeleteItemInput): Promise<DeletedItem> {
      const ownerId = owner()
      const oldMainBackup = await transaction(database, async (db) => {
        const conversation = (await lockConversation(db, ownerId, conversationId)) ?? conversationNotFound()
        const place = (await findItem(db, conversation, itemId)) ?? itemNotFound()
        await assertRoomForBranch(db, conversation, maxBranches)
        await retireIds(db, { given: itemId, place })
        const { backup } = await forkToMain(db, {
          branchKey: place.branchKey,
          upTo: null,
          without: place.position,
        })
        return backup
      })
      changes.tell({ ownerId, conversationId, kind: 'UPDATED', items: [{ kind: 'RESYNC', id: null }] })
      return { id: itemId, branch: mainBranch, oldMainBackup, conversationId }
    },
  }
}

/** The service of one request. */
export type ItemService = ReturnType<typeof itemService>

/** The branch of that name, the active one where none is named. @throws AppError `not_found` naming `branch` */
export async function branchOf(
  items: ItemSource,
  conversation: ConversationRow,
  name: string | null | undefined,
): Promise<BranchRef> {
  const { key, name: active, itemCount } = conversation.activeBranch
  if (name == null || name === active)
    return { key, name: active, itemCount, conversationKey: conversation.key }
  return (await items.branch(conversation.key, name)) ?? branchNotFound('branch')
}

/** The one answer for a branch that is not there. */
export function branchNotFound(param: string | null): never {
  throw new AppError('not_found', 'The conversation has no branch of that name.', { param })
}

/** @param param the wire's name of the field that named it, where it was no path */
export function itemNotFound(param: string | null = null): never {
  throw new AppError('item_not_found', 'There is no such item in this conversation.', { param })
}

/**
 * Whoever pages by offset asks for the next one as if this one were whole: what was left out of it would never be seen. A cursor
 * stands where the page really ends.
 * @throws AppError `invalid_parameter` naming `limit`
 */
function assertWhole(rows: readonly ItemRow[], { limit }: Page): void {
  if (rows.length >= limit) return
  throw new AppError(
    'invalid_parameter',
    `These items are too large to be read at once, and pages by offset are not cut short: ask for ${rows.length} at most (limit), or page by after.`,
    { param: 'limit' },
  )
}

/** Contract 3.3: what is out of range is taken as the nearer end. */
function itemPage({ first, after, offset, order }: PageArguments): Page {
  return {
    limit: Math.min(Math.max(first ?? defaultPageSize, 1), maxPageSize),
    after: offset == null ? (after ?? null) : null,
    offset: Math.max(offset ?? 0, 0),
    descending: order !== 'ASC',
  }
}
