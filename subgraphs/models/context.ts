import type { RequestContext } from '../../platform/context.ts'
import { requestServices } from '../../platform/request-services.ts'
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

/** The services of one request. */
export const modelsContext = (request: RequestContext, parts: ModelsParts): ModelsContext =>
  servicesOf({ request, parts, clearLoaders: nothingLoaded })

interface Given extends SubgraphContext {
  readonly parts: ModelsParts
}

/** Nothing is loaded per request: models are in memory. */
const nothingLoaded = () => undefined

const servicesOf = requestServices<Given, Omit<ModelsContext, keyof SubgraphContext>>({
  catalogue: ({ request, parts }) => catalogueService(request, parts.catalogue),
  completions: ({ request, parts }) => completionService(request, parts),
  regenerations: ({ request, parts, completions }) =>
    regenerationService(request, parts.catalogue, completions),
  embeddings: ({ request, parts }) => embeddingService(request, parts),
  images: ({ request, parts }) => imageService(request, parts.images),
  settings: ({ catalogue, images }) => settingsService(catalogue, images),
  memory: ({ request, parts }) => memoryService(request, parts.memory),
  templates({ request, parts }) {
    const { templates, live } = parts.prompts
    return templateService(request.actor, templates, live)
  },
  assignments({ request, parts }) {
    const { assignments: source, live } = parts.prompts
    return assignmentService({ actor: request.actor, source, catalogue: parts.catalogue, live })
  },
})
