import { defineSubgraph } from '../../platform/subgraph.ts'
import { memoryConfig } from './config.ts'
import { memoryContext } from './context.ts'
import { MemoryItem } from './entities.ts'
import { memory as createMemory } from './migrations/0001-memory.ts'
import { placesOfForgotten } from './migrations/0002-places-of-forgotten.ts'
import { ProfileCache } from './ranking/profile-cache.ts'
import { rankingMetrics } from './ranking/ranking-metrics.ts'
import { resolvers } from './resolvers.ts'
import { eraseOwner } from './sources/memory-writes.ts'
import { vectorSource } from './sources/vectors.ts'

/** What is remembered of people and their projects, and how it is found again. */
export const memory = defineSubgraph({
  name: 'memory',
  home: import.meta.url,
  resolvers,
  persistence: { entities: [MemoryItem], migrations: [createMemory, placesOfForgotten] },
  config: memoryConfig,
  start({ database, notifications, settings, ...services }) {
    const metrics = rankingMetrics(services.metrics)
    const vectors = vectorSource(database)
    const profiles = new ProfileCache(vectors, notifications, metrics.looked)
    const parts = { database, vectors, profiles, metrics, isEnabled: settings.MEMORY_ENABLED }
    return {
      createContext: (request) => memoryContext(request, parts),
      erase: (userId) => eraseOwner(database, userId),
      stop: async () => profiles.close(),
    }
  },
})
