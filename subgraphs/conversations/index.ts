import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { branchResolvers } from './branches/resolvers.ts'
import { conversationsConfig } from './config.ts'
import { conversationsContext } from './context.ts'
import { conversationMetrics } from './conversation-metrics.ts'
import { Branch, Conversation } from './entities.ts'
import { changeHub } from './live/change-hub.ts'
import { changePublisher } from './live/change-publisher.ts'
import { liveResolvers } from './live/resolvers.ts'
import { mediaResolvers } from './media/resolvers.ts'
import { conversations as createConversations } from './migrations/0001-conversations.ts'
import { turnWrites } from './migrations/0002-turn-writes.ts'
import { referenceIndexes } from './migrations/0003-reference-indexes.ts'
import { forks } from './migrations/0004-forks.ts'
import { forkedTurns } from './migrations/0005-forks-of-turns.ts'
import { search } from './migrations/0006-search.ts'
import { shares } from './migrations/0007-shares.ts'
import { generatedTitles } from './migrations/0008-generated-titles.ts'
import { deletedOfOwner } from './migrations/0009-deleted-of-owner.ts'
import { titlesOfForks } from './migrations/0010-titles-of-forks.ts'
import { limitedForks } from './migrations/0011-limited-forks.ts'
import { searchByRareWords } from './migrations/0012-search-by-rare-words.ts'
import { itemsWithMedia } from './migrations/0013-items-with-media.ts'
import { searchHits } from './migrations/0014-search-hits.ts'
import { keysToldWhileGiven } from './migrations/0015-keys-told-while-given.ts'
import { archivedOfOwner } from './migrations/0016-archived-of-owner.ts'
import { reportResolvers } from './reports/resolvers.ts'
import { resolvers } from './resolvers.ts'
import type { Resolvers } from './schema.generated.ts'
import { searchIndexer } from './search/indexer.ts'
import { searchResolvers } from './search/resolvers.ts'
import { startSharing } from './sharing/process.ts'
import { shareResolvers } from './sharing/resolvers.ts'
import { conversationPages } from './sources/conversation-pages.ts'
import { conversationsById } from './sources/conversations-by-id.ts'
import { eraseOwner } from './sources/erase-owner.ts'
import { settledKey } from './sources/settled-key.ts'
import { historySource } from './sources/turn-history.ts'
import { turnStore } from './sources/turn-store.ts'
import { turnSweeper } from './turn-sweeper.ts'

/** Conversations, their items and branches, and the turns that completions store. */
export const conversations = defineSubgraph({
  name: 'conversations',
  home: import.meta.url,
  resolvers: mergeResolvers(
    resolvers,
    branchResolvers,
    reportResolvers,
    searchResolvers,
    liveResolvers,
    shareResolvers,
    mediaResolvers,
  ) satisfies Resolvers,
  persistence: {
    entities: [Conversation, Branch],
    migrations: [
      createConversations,
      turnWrites,
      referenceIndexes,
      forks,
      forkedTurns,
      search,
      shares,
      generatedTitles,
      deletedOfOwner,
      titlesOfForks,
      limitedForks,
      searchByRareWords,
      itemsWithMedia,
      searchHits,
      keysToldWhileGiven,
      archivedOfOwner,
    ],
  },
  config: conversationsConfig,
  start(services) {
    const { database, notifications, log, settings } = services
    const metrics = conversationMetrics(services.metrics)
    const maxBranches = settings.CONVERSATION_MAX_BRANCHES
    const changes = metrics.changes(changePublisher(notifications, log))
    const hub = changeHub(notifications)
    const sweeper = turnSweeper(database, changes, log)
    const indexer = searchIndexer(database, log)
    const shared = {
      database,
      byId: conversationsById(database),
      pages: conversationPages(database),
      settled: settledKey(database),
      histories: historySource(database),
      store: turnStore(database, maxBranches),
      sharing: startSharing(services),
      hub,
      changes,
      metrics,
      maxBranches,
    }
    return {
      createContext: (request) => conversationsContext(request, shared),
      async ready() {
        indexer.start()
        await sweeper.start()
      },
      erase: (userId) => eraseOwner(database, userId),
      async stop() {
        hub.stop()
        await Promise.all([sweeper.stop(), indexer.stop(), shared.sharing.stop()])
        await changes.stop()
      },
    }
  },
})
