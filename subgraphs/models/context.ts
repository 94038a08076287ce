import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { type CatalogueService, catalogueService } from './catalogue/service.ts'
import { type EmbeddingService, embeddingService } from './completion/embeddings.ts'
import { type CompletionParts, type CompletionService, completionService } from './completion/service.ts'
import type { MemoryProcess } from './memory/process.ts'
import { type MemoryService, memoryService } from './memory/service.ts'
import { type SettingsService, settingsService } from './settings/service.ts'

/** The scope of one request in this subgraph. */
export interface ModelsContext extends SubgraphContext {
  readonly catalogue: CatalogueService
  readonly completions: CompletionService
  readonly embeddings: EmbeddingService
  readonly settings: SettingsService
  readonly memory: MemoryService
}

/** What all requests share. */
export interface ModelsParts extends CompletionParts {
  /** Null where memory is off. */
  readonly memory: MemoryProcess | null
}

/** Nothing is loaded per request: models are in memory. */
const nothingLoaded = () => undefined

export function modelsContext(request: RequestContext, parts: ModelsParts): ModelsContext {
  const catalogue = catalogueService(request, parts.catalogue)
  return {
    request,
    catalogue,
    settings: settingsService(catalogue),
    memory: memoryService(request, parts.memory),
    completions: completionService(request, parts),
    embeddings: embeddingService(request, parts),
    clearLoaders: nothingLoaded,
  }
}
