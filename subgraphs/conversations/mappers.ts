import type { PreparedBranch } from './branches/forks.ts'
import type { BranchPage } from './branches/service.ts'
import type { LiveEvent } from './live/service.ts'
import type { SearchHit, SearchMatch, SearchPage } from './search/service.ts'
import type { ConversationPage } from './service/conversations.ts'
import type { AddedItems, DeletedItem, ItemPage } from './service/items.ts'
import type { TurnContext } from './service/turns.ts'
import type { SharedConversation } from './sharing/public-links.ts'
import type { SharePage } from './sharing/service.ts'
import type { SharedItem } from './sharing/snapshot.ts'
import type { LinkedShare } from './sharing/sources/public-shares.ts'
import type { ShareRow } from './sharing/sources/share-row.ts'
import type { BranchRow } from './sources/branches.ts'
import type { ConversationRow } from './sources/conversation-row.ts'
import type { ItemRow } from './sources/item-row.ts'
import type { StoredTurn } from './sources/turns.ts'

/** What resolvers hand on as a `Conversation`. */
export type ConversationModel = ConversationRow

/** What resolvers hand on as a `Branch`. */
export type BranchModel = BranchRow

/** What resolvers hand on as a page of branches. */
export type BranchConnectionModel = BranchPage

/** What resolvers hand on when a new main branch is ready. */
export type PreparedBranchModel = PreparedBranch

/** What resolvers hand on as a page of conversations; its `totalCount` is counted only when asked for. */
export type ConversationConnectionModel = ConversationPage

/** What resolvers hand on as an `Item`. */
export type ItemModel = ItemRow

/** What resolvers hand on as a page of items. */
export type ItemConnectionModel = ItemPage

/** What resolvers hand on when items were added. */
export type AddedItemsModel = AddedItems

/** What resolvers hand on when an item was deleted. */
export type DeletedItemModel = DeletedItem

/** What resolvers hand on as a stored turn. */
export type StoredTurnModel = StoredTurn

/** What resolvers hand on as the context of a turn. */
export type TurnContextModel = TurnContext

/** What resolvers hand on as a `Share`. */
export type ShareModel = ShareRow

/** What resolvers hand on as a page of shares. */
export type ShareConnectionModel = SharePage

/** What resolvers hand on as what is behind a link. */
export type PublicShareModel = LinkedShare

/** What resolvers hand on as what was shared. */
export type SharedConversationModel = SharedConversation

/** What resolvers hand on as a message that was shared. */
export type SharedItemModel = SharedItem

/** A project is known by its id alone here. */
export interface ProjectModel {
  readonly id: string
}

/** What resolvers hand on as a page of what was found. */
export type SearchConnectionModel = SearchPage

/** What resolvers hand on as a hit of a search. */
export type SearchHitModel = SearchHit

/** What resolvers hand on as a message that matches. */
export type SearchMatchModel = SearchMatch

/** What resolvers hand on as an event of the caller's conversations. */
export type ConversationEventModel = LiveEvent

/** What resolvers hand on as an event of a conversation's items. */
export type ItemEventModel = LiveEvent
