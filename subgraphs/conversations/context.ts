import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import type { ChangeHub } from './live/change-hub.ts'
import type { ChangePublisher } from './live/change-publisher.ts'
import { ownProjectCheck } from './own-project.ts'
import { type ConversationService, conversationService } from './service/conversations.ts'
import { type ItemService, itemService } from './service/items.ts'
import { type LiveService, liveService } from './service/live.ts'
import { type SearchService, searchService } from './service/search.ts'
import { type TurnService, turnService } from './service/turns.ts'
import { conversationSource } from './sources/conversations.ts'
import { itemSource } from './sources/items.ts'
import type { HistorySource } from './sources/turn-history.ts'
import type { TurnStore } from './sources/turn-store.ts'

/** The scope of one request in this subgraph. */
export interface ConversationsContext extends SubgraphContext {
  readonly conversations: ConversationService
  readonly items: ItemService
  readonly search: SearchService
  readonly live: LiveService
  readonly turns: TurnService
}

/** What all requests of this process share. */
export interface SharedSources {
  readonly database: SubgraphDatabase
  readonly histories: HistorySource
  readonly store: TurnStore
  readonly hub: ChangeHub
  readonly changes: ChangePublisher
}

export function conversationsContext(request: RequestContext, shared: SharedSources): ConversationsContext {
  const { actor } = request
  const { database, histories, store, hub, changes } = shared
  const conversations = conversationSource(database)
  const items = itemSource(database)
  const isOwnProject = ownProjectCheck(request)
  const conversationRules = conversationService({ actor, database, conversations, changes, isOwnProject })
  return {
    request,
    conversations: conversationRules,
    items: itemService({ actor, database, items, changes }),
    search: searchService({ actor, database, conversations, items, isOwnProject }),
    live: liveService({ actor, signal: request.signal, hub, existing: conversationRules.existing }),
    turns: turnService({ actor, database, histories, store, changes }),
    clearLoaders() {
      conversations.clearLoaders()
      items.clearLoaders()
    },
  }
}
