import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Connection, type PageArguments, toConnection, toPage } from '../../../platform/pagination.ts'
import { givenTitle } from '../content/title.ts'
import type { ShareConversationInput, ShareItemInput } from '../schema.generated.ts'
import { conversationNotFound } from '../service/conversations.ts'
import { branchOf, itemNotFound } from '../service/items.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import type { ConversationSource } from '../sources/conversations.ts'
import type { ItemRow } from '../sources/item-row.ts'
import type { ItemSource } from '../sources/items.ts'
import { derivedTitle } from './share-title.ts'
import { type Snapshot, snapshotBuilder } from './snapshot.ts'
import type { ShareLists } from './sources/share-lists.ts'
import type { ShareRow } from './sources/share-row.ts'
import { createShare, isShare, type NewShare, revokeShare } from './sources/share-writes.ts'
import { messagesOfBranch, questionBefore } from './sources/shared-messages.ts'

/** Contract 2.11. */
const minItems = 2

/** A page of shares. */
export type SharePage = Connection<ShareRow>

/** Arguments of a page of shares. */
export interface ShareListArguments extends PageArguments {
  readonly includeRevoked?: boolean | null
}

/** What the rules of sharing need. */
export interface ShareScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly conversations: ConversationSource
  readonly items: ItemSource
  readonly lists: ShareLists
  /** Whether links may be made and listed; those that there are stay open, and may be revoked, either way. */
  readonly isEnabled: boolean
}

/** What both ways of sharing have in common. */
type ShareOptions = Pick<NewShare, 'title' | 'includesImages' | 'includesContext' | 'expiresIn' | 'itemId'>

/** The rules of sharing. Everything acts for `actor`: another owner's conversation or share does not exist for it. */
export function shareService({ actor, database, conversations, items, lists, isEnabled }: ShareScope) {
  const owner = () => requireActor(actor).id

  /** @throws AppError `missing_credentials`, `feature_disabled` */
  const sharingOwner = (): string => {
    const ownerId = owner()
    if (!isEnabled) throw new AppError('feature_disabled', 'Sharing is switched off on this platform.')
    return ownerId
  }

  /** @throws AppError `conversation_not_found` */
  const ownConversation = async (ownerId: string, id: string): Promise<ConversationRow> =>
    (await conversations.byId(ownerId, id)) ?? conversationNotFound()

  const pageOf = async (ownerId: string, args: ShareListArguments): Promise<SharePage> => {
    const page = toPage(args)
    const rows = await lists.ofOwner(ownerId, { page, includeRevoked: args.includeRevoked ?? true })
    return toConnection(rows, page, ({ publicId }) => publicId)
  }

  const store = async (
    conversation: ConversationRow,
    snapshot: Snapshot,
    { title, ...options }: Omit<ShareOptions, 'title'> & { readonly title: string | null },
  ): Promise<ShareRow> => {
    const share = await createShare(database, {
      ...options,
      conversationKey: conversation.key,
      ownerId: conversation.ownerId,
      title: title ?? derivedTitle(conversation.title, snapshot),
      snapshot,
    })
    return share ?? conversationNotFound()
  }

  return {
    /** @throws AppError `feature_disabled`, `conversation_not_found`, `not_found` naming `branch`, `invalid_parameter`, `payload_too_large` */
    async shareConversation(input: ShareConversationInput): Promise<ShareRow> {
      const ownerId = sharingOwner()
      const given = givenOptions(input)
      const conversation = await ownConversation(ownerId, input.conversationId)
      const branch = await branchOf(items, conversation, input.branch)
      assertEnough(branch.itemCount)
      const snapshot = snapshotBuilder(conversation.createdAt, given.includesImages)
      for await (const message of messagesOfBranch(database, branch.key)) snapshot.add(message)
      return store(conversation, snapshot.finish(), { ...given, includesContext: false, itemId: null })
    },

    /** @throws AppError `feature_disabled`, `conversation_not_found`, `item_not_found`, `invalid_parameter`, `payload_too_large` */
    async shareItem(input: ShareItemInput): Promise<ShareRow> {
      const ownerId = sharingOwner()
      const given = givenOptions(input)
      const conversation = await ownConversation(ownerId, input.conversationId)
      const item = await items.byId(ownerId, input.itemId)
      if (item?.conversationKey !== conversation.key) return itemNotFound()
      const answer = wholeAnswer(item)
      const branch = await branchOf(items, conversation, item.branch)
      assertEnough(branch.itemCount)
      const includesContext = input.includeContext ?? false
      const question = includesContext ? await questionBefore(database, item.publicId) : null
      const snapshot = snapshotBuilder(conversation.createdAt, given.includesImages)
      if (question) snapshot.add(question)
      snapshot.add(answer)
      return store(conversation, snapshot.finish(), { ...given, includesContext, itemId: item.publicId })
    },

    /** @param conversationId the conversation that the share must be of @throws AppError `not_found`, `conversation_not_found`, `invalid_parameter` */
    async revoke(id: string, conversationId: string | null): Promise<ShareRow> {
      const name = { ownerId: owner(), id, conversationId }
      if (conversationId !== null) await ownConversation(name.ownerId, conversationId)
      const revoked = await revokeShare(database, name)
      if (revoked) return revoked
      if (await isShare(database, name))
        throw new AppError('invalid_parameter', 'This share has been revoked already.', { param: 'share_id' })
      throw new AppError('not_found', 'There is no such share.')
    },

    /** @throws AppError `feature_disabled`, `invalid_cursor` */
    async page(args: ShareListArguments): Promise<SharePage> {
      return pageOf(sharingOwner(), args)
    },

    /** Oldest first, and whether sharing is on or off: they are their owner's either way. @throws AppError `invalid_cursor` */
    exportPage: async (start: Pick<PageArguments, 'first' | 'after'>): Promise<SharePage> =>
      pageOf(owner(), { ...start, order: 'ASC' }),

    /** The shares of a conversation that the caller was handed. @throws AppError `feature_disabled`, `invalid_cursor` */
    async pageOfConversation({ key }: ConversationRow, args: ShareListArguments): Promise<SharePage> {
      sharingOwner()
      const page = toPage(args)
      const rows = await lists.ofConversation(key, { page, includeRevoked: args.includeRevoked ?? true })
      return toConnection(rows, page, ({ publicId }) => publicId)
    },
  }
}

/** The service of one request. */
export type ShareService = ReturnType<typeof shareService>

type GivenOptions = Pick<ShareConversationInput, 'title' | 'includeImages' | 'expiresIn'>

/** @throws AppError `invalid_parameter` naming `title` or `expires_in` */
function givenOptions({ title, includeImages, expiresIn }: GivenOptions) {
  if (expiresIn != null && expiresIn < 1)
    throw new AppError('invalid_parameter', 'expires_in must be 1 or more.', { param: 'expires_in' })
  return {
    title: title == null ? null : givenTitle(title),
    includesImages: includeImages ?? false,
    expiresIn: expiresIn ?? null,
  }
}

function assertEnough(itemCount: number): void {
  if (itemCount >= minItems) return
  throw new AppError('invalid_parameter', `A conversation needs at least ${minItems} items to be shared.`)
}

/** @throws AppError `invalid_parameter` naming `item_id` */
function wholeAnswer({ type, role, status, ...item }: ItemRow) {
  if (type === 'message' && role === 'assistant' && status === 'completed') return { role, ...item }
  throw new AppError('invalid_parameter', 'Only a whole message of the assistant can be shared by itself.', {
    param: 'item_id',
  })
}
