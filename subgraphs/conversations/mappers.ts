import type { ConversationPage } from './service/conversations.ts'
import type { AddedItems, ItemPage } from './service/items.ts'
import type { LiveEvent } from './service/live.ts'
import type { SearchHit, SearchMatch, SearchPage } from './service/search.ts'
import type { TurnContext } from './service/turns.ts'
import type { ConversationRow } from './sources/conversation-row.ts'
import type { ItemRow } from './sources/item-row.ts'
import type { StoredTurn } from './sources/turns.ts'

/** What resolvers hand on as a `Conversation`. */
export type ConversationModel = ConversationRow

/** What resolvers hand on as a page of conversations; its `totalCount` is counted only when asked for. */
export type ConversationConnectionModel = ConversationPage

/** What resolvers hand on as an `Item`. */
export type ItemModel = ItemRow

/** What resolvers hand on as a page of items. */
export type ItemConnectionModel = ItemPage

/** What resolvers hand on when items were added. */
export type AddedItemsModel = AddedItems

/** What resolvers hand on as a stored turn. */
export type StoredTurnModel = StoredTurn

/** What resolvers hand on as the context of a turn. */
export type TurnContextModel = TurnContext

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
