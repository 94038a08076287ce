import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { RememberedProjectDocument } from './operations.generated.ts'
import type { ProfileCache } from './ranking/profile-cache.ts'
import type { RankingMetrics } from './ranking/ranking-metrics.ts'
import { type MemoryService, memoryService } from './services/memories.ts'
import { type RecallService, recallService } from './services/recall.ts'
import { type RememberingService, rememberingService } from './services/remembering.ts'
import { memorySource } from './sources/memories.ts'
import type { VectorSource } from './sources/vectors.ts'

/** The scope of one request in this subgraph. */
export interface MemoryContext extends SubgraphContext {
  readonly memories: MemoryService
  readonly remembering: RememberingService
  readonly recall: RecallService
}

/** What all requests share. */
export interface MemoryParts {
  readonly database: SubgraphDatabase
  readonly vectors: VectorSource
  readonly profiles: ProfileCache
  readonly metrics: RankingMetrics
  readonly isEnabled: boolean
}

export function memoryContext(request: RequestContext, parts: MemoryParts): MemoryContext {
  const { database, vectors, profiles, metrics, isEnabled } = parts
  const { actor } = request
  const source = memorySource(database)
  const changed = (ownerId: string) => profiles.drop(ownerId)
  const hasProject = async (id: string) =>
    (await request.graph.execute(RememberedProjectDocument, { id }, request)).project !== null
  return {
    request,
    memories: memoryService(actor, source, changed),
    remembering: rememberingService({ actor, database, isEnabled, hasProject }, changed),
    recall: recallService({ actor, memories: source, vectors, profiles, metrics }),
    clearLoaders: source.clearLoaders,
  }
}
