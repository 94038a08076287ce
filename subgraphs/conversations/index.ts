import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { branchResolvers } from './branches/resolvers.ts'
import { conversationsConfig } from './config.ts'
import { conversationsContext } from './context.ts'
import { Branch, Conversation } from './entities.ts'
import { conversations as createConversations } from './migrations/0001-conversations.ts'
import { turnWrites } from './migrations/0002-turn-writes.ts'
import { referenceIndexes } from './migrations/0003-reference-indexes.ts'
import { forks } from './migrations/0004-forks.ts'
import { forkedTurns } from './migrations/0004-forks-of-turns.ts'
import { shares } from './migrations/0006-shares.ts'
import { generatedTitles } from './migrations/0007-generated-titles.ts'
import { deletedOfOwner } from './migrations/0008-deleted-of-owner.ts'
import { reportResolvers } from './reports/resolvers.ts'
import { resolvers } from './resolvers.ts'
import type { Resolvers } from './schema.generated.ts'
import { startSharing } from './sharing/process.ts'
import { shareResolvers } from './sharing/resolvers.ts'
import { eraseOwner } from './sources/erase-owner.ts'
import { historySource } from './sources/turn-history.ts'
import { turnStore } from './sources/turn-store.ts'
import { turnSweeper } from './turn-sweeper.ts'

/** Conversations, their items and branches, and the turns that completions store. */
export const conversations = defineSubgraph({
  name: 'conversations',
  home: import.meta.url,
  resolvers: mergeResolvers(resolvers, branchResolvers, reportResolvers, shareResolvers) satisfies Resolvers,
  persistence: {
    entities: [Conversation, Branch],
    migrations: [
      createConversations,
      turnWrites,
      referenceIndexes,
      forks,
      forkedTurns,
      shares,
      generatedTitles,
      deletedOfOwner,
    ],
  },
  config: conversationsConfig,
  start(services) {
    const { database, log } = services
    const sweeper = turnSweeper(database, log)
    const sharing = startSharing(services)
    const shared = { database, histories: historySource(database), store: turnStore(database), sharing }
    return {
      createContext: (request) => conversationsContext(request, shared),
      ready: () => sweeper.start(),
      erase: (userId) => eraseOwner(database, userId),
      async stop() {
        await Promise.all([sweeper.stop(), sharing.stop()])
      },
    }
  },
})
