import { z } from 'zod'
import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { conversationsContext } from './context.ts'
import { Branch, Conversation } from './entities.ts'
import { changeHub } from './live/change-hub.ts'
import { changePublisher } from './live/change-publisher.ts'
import { liveResolvers } from './live-resolvers.ts'
import { conversations as createConversations } from './migrations/0001-conversations.ts'
import { turnWrites } from './migrations/0002-turn-writes.ts'
import { referenceIndexes } from './migrations/0003-reference-indexes.ts'
import { search } from './migrations/0005-search.ts'
import { resolvers } from './resolvers.ts'
import { searchIndexer } from './search-indexer.ts'
import { searchResolvers } from './search-resolvers.ts'
import { historySource } from './sources/turn-history.ts'
import { turnStore } from './sources/turn-store.ts'
import { turnSweeper } from './turn-sweeper.ts'

/** Conversations, their items and branches, and the turns that completions store. */
export const conversations = defineSubgraph({
  name: 'conversations',
  home: import.meta.url,
  resolvers: mergeResolvers<object>(resolvers, searchResolvers, liveResolvers),
  persistence: {
    entities: [Conversation, Branch],
    migrations: [createConversations, turnWrites, referenceIndexes, search],
  },
  config: z.object({}),
  start({ database, notifications, log }) {
    const changes = changePublisher(notifications, log)
    const hub = changeHub(notifications)
    const sweeper = turnSweeper(database, changes, log)
    const indexer = searchIndexer(database, log)
    const shared = { database, histories: historySource(database), store: turnStore(database), hub, changes }
    return {
      createContext: (request) => conversationsContext(request, shared),
      async ready() {
        indexer.start()
        await sweeper.start()
      },
      async stop() {
        hub.stop()
        await Promise.all([sweeper.stop(), indexer.stop()])
        await changes.stop()
      },
    }
  },
})
