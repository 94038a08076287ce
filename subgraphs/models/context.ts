import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { type CatalogueService, catalogueService } from './catalogue/service.ts'
import { type EmbeddingService, embeddingService } from './completion/embeddings.ts'
import { type CompletionParts, type CompletionService, completionService } from './completion/service.ts'
import { type ImageParts, type ImageService, imageService } from './images/service.ts'
import type { MemoryProcess } from './memory/process.ts'
import { type MemoryService, memoryService } from './memory/service.ts'
import { type AssignmentService, assignmentService } from './prompts/assignments.ts'
import type { PromptsProcess } from './prompts/process.ts'
import { type TemplateService, templateService } from './prompts/service.ts'
import { type RegenerationService, regenerationService } from './regeneration/service.ts'
import { type SettingsService, settingsService } from './settings/service.ts'

/** The scope of one request in this subgraph. */
export interface ModelsContext extends SubgraphContext {
  readonly catalogue: CatalogueService
  readonly completions: CompletionService
  readonly regenerations: RegenerationService
  readonly embeddings: EmbeddingService
  readonly images: ImageService
  readonly settings: SettingsService
  readonly memory: MemoryService
  readonly templates: TemplateService
  readonly assignments: AssignmentService
}

/** What of this subgraph lives as long as the process. */
export interface ModelsParts extends CompletionParts {
  /** Null where memory is off. */
  readonly memory: MemoryProcess | null
  readonly prompts: PromptsProcess
  readonly images: ImageParts
}

/** Nothing is loaded per request: models are in memory. */
const nothingLoaded = () => undefined

export function modelsContext(request: RequestContext, parts: ModelsParts): ModelsContext {
  const catalogue = catalogueService(request, parts.catalogue)
  const completions = completionService(request, parts)
  const images = imageService(request, parts.images)
  return {
    request,
    catalogue,
    completions,
    regenerations: regenerationService(request, parts.catalogue, completions),
    images,
    settings: settingsService(catalogue, images),
    memory: memoryService(request, parts.memory),
    templates: templateService(request.actor, parts.prompts.templates, parts.prompts.live),
    assignments: assignmentService({
      actor: request.actor,
      source: parts.prompts.assignments,
      catalogue: parts.catalogue,
      live: parts.prompts.live,
    }),
    embeddings: embeddingService(request, parts),
    clearLoaders: nothingLoaded,
  }
}
