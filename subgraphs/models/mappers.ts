import type { ListedModel } from './catalogue/registry.ts'
import type { CountedConnection } from './catalogue/service.ts'
import type { PresentedChunk, PresentedCompletion } from './completion/present.ts'
import type { CatalogEntry, Provider } from './entities.ts'
import type { GeneratedImages, KeptImage } from './images/service.ts'
import type { EffectiveTemplate } from './prompts/registry.ts'
import type { AssignmentRow, PromptTemplateRow } from './prompts/rows.ts'
import type { TemplatePage } from './prompts/service.ts'
import type { ModelCapabilities } from './providers/index.ts'

/** What resolvers hand on as a `Model`. */
export type ModelModel = ListedModel

/** What resolvers hand on as `ModelCapabilities`: absent means unknown. */
export type ModelCapabilitiesModel = ModelCapabilities

/** What resolvers hand on as a page of models. */
export type ModelConnectionModel = CountedConnection<ListedModel>

/** What resolvers hand on as a `Provider`. */
export type ProviderModel = Provider

/** What resolvers hand on as a `CatalogEntry`. */
export type CatalogEntryModel = CatalogEntry

/** What resolvers hand on as a page of the catalogue. */
export type CatalogEntryConnectionModel = CountedConnection<CatalogEntry>

/** What resolvers hand on as a `RecalledMemory`: the memory itself is another subgraph's. */
export interface RecalledMemoryModel {
  readonly memory: { readonly id: string }
  readonly similarity: number | null
}

/** What resolvers hand on as a `ChatCompletion`; its model is looked up when asked for. */
export type ChatCompletionModel = PresentedCompletion

/** The same for a chunk. */
export type ChatCompletionChunkModel = PresentedChunk

/** What resolvers hand on as `GeneratedImages`. */
export type GeneratedImagesModel = GeneratedImages

/** What resolvers hand on as a `GeneratedImage`: its media is another subgraph's. */
export type GeneratedImageModel = KeptImage

/** What resolvers hand on as `UserSettings`: what the gateway sends of accounts'. */
export interface UserSettingsModel {
  readonly id: string
  /** There where a field needs it. */
  readonly preferences: unknown
}

/** What resolvers hand on as a `PromptTemplate`. */
export type PromptTemplateModel = PromptTemplateRow

/** What resolvers hand on as a page of templates. */
export type PromptTemplateConnectionModel = TemplatePage

/** What resolvers hand on as a `ModelPromptTemplate`. */
export type ModelPromptTemplateModel = AssignmentRow

/** What resolvers hand on as an `EffectivePromptTemplate`. */
export type EffectivePromptTemplateModel = EffectiveTemplate
