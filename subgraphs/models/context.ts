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

export function modelsContext(request: RequestContext, parts: ModelsParts): ModelsContext {
  return new RequestServices(request, parts)
}

/**
 * Services are made when they are first asked for: a chat needs one of them. Without `#` fields: Apollo Server, which a process of this
 * subgraph alone runs, hands resolvers a copy.
 */
class RequestServices implements ModelsContext {
  readonly request: RequestContext
  private readonly parts: ModelsParts
  private madeCatalogue: CatalogueService | undefined
  private madeCompletions: CompletionService | undefined
  private madeImages: ImageService | undefined

  constructor(request: RequestContext, parts: ModelsParts) {
    this.request = request
    this.parts = parts
  }

  get catalogue(): CatalogueService {
    this.madeCatalogue ??= catalogueService(this.request, this.parts.catalogue)
    return this.madeCatalogue
  }

  get completions(): CompletionService {
    this.madeCompletions ??= completionService(this.request, this.parts)
    return this.madeCompletions
  }

  get images(): ImageService {
    this.madeImages ??= imageService(this.request, this.parts.images)
    return this.madeImages
  }

  get regenerations(): RegenerationService {
    return regenerationService(this.request, this.parts.catalogue, this.completions)
  }

  get settings(): SettingsService {
    return settingsService(this.catalogue, this.images)
  }

  get memory(): MemoryService {
    return memoryService(this.request, this.parts.memory)
  }

  get templates(): TemplateService {
    const { templates, live } = this.parts.prompts
    return templateService(this.request.actor, templates, live)
  }

  get assignments(): AssignmentService {
    const { catalogue, prompts } = this.parts
    const { assignments: source, live } = prompts
    return assignmentService({ actor: this.request.actor, source, catalogue, live })
  }

  get embeddings(): EmbeddingService {
    return embeddingService(this.request, this.parts)
  }

  clearLoaders(): void {
    // Nothing is loaded per request: models are in memory.
  }
}
