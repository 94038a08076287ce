import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { openAiList } from '../../platform/openai/list.ts'
import { type ModelObject, modelObject } from '../../platform/openai/model-object.ts'
import {
  AllModelsDocument,
  type CatalogEntryFieldsFragment,
  ModelCatalogDocument,
  ModelCatalogsDocument,
  ModelDocument,
  type ModelFieldsFragment,
  ProvidersDocument,
  type ProvidersQuery,
} from '../operations.generated.ts'
import { type Route, route } from '../route.ts'
import {
  dual,
  dualOf,
  list,
  listOf,
  optionalUnixSeconds,
  pageArguments,
  pageQuery,
  unixSeconds,
} from '../shapes.ts'

const tag = 'Models'

const capabilities = ['images', 'embeddings', 'reasoning', 'audio', 'video', 'tools', 'browser'] as const
const catalogQuery = pageQuery.extend({
  capability: z.enum(capabilities).optional().describe('Only models that can do this.'),
  family: z.string().optional().describe('Only models of this family.'),
})

const told = z.boolean().nullable()
const catalogFields = z.object({
  id: z.string(),
  public_id: z.string(),
  name: z.string().nullable(),
  model_display_name: z.string().nullable(),
  description: z.string().nullable(),
  supported_parameters: z.unknown(),
  architecture: z.unknown(),
  tags: z.array(z.string()),
  notes: z.string().nullable(),
  context_length: z.int().nullable(),
  is_moderated: told,
  active: z.boolean(),
  extras: z.unknown(),
  status: z.enum(['init', 'filled', 'updated']),
  family: z.string().nullable(),
  experimental: z.boolean(),
  requires_feature_flag: z.string().nullable(),
  supports_images: told,
  supports_embeddings: told,
  supports_reasoning: told,
  supports_instruct: told,
  supports_audio: told,
  supports_video: told,
  supports_tools: told,
  supports_browser: told,
  last_synced_at: z.int().nullable(),
  created_at: z.int(),
  updated_at: z.int(),
})

const catalogEntry = catalogFields.meta({
  id: 'CatalogEntry',
  examples: [
    {
      id: 'jan-v1-4b',
      public_id: 'jan-v1-4b',
      name: 'Jan v1 4B',
      model_display_name: 'Jan v1 4B',
      description: null,
      supported_parameters: { names: ['temperature', 'top_p'], default: { temperature: 0.7, top_p: null } },
      architecture: { modality: 'text->text', input_modalities: ['text'], output_modalities: ['text'] },
      tags: [],
      notes: null,
      context_length: 131_072,
      is_moderated: null,
      active: true,
      extras: null,
      status: 'filled',
      family: 'jan',
      experimental: false,
      requires_feature_flag: null,
      supports_images: false,
      supports_embeddings: false,
      supports_reasoning: true,
      supports_instruct: null,
      supports_audio: false,
      supports_video: false,
      supports_tools: true,
      supports_browser: null,
      last_synced_at: 1_767_225_600,
      created_at: 1_767_225_600,
      updated_at: 1_767_225_600,
    } satisfies z.output<typeof catalogFields>,
  ],
})

const providerFields = z.object({
  id: z.string(),
  object: z.literal('provider'),
  name: z.string(),
  vendor: z.string(),
  category: z.string(),
  active: z.boolean(),
  model_count: z.int(),
  base_url: z.string().optional(),
  endpoints: z.unknown().optional(),
  metadata: z.unknown().optional(),
})

const provider = providerFields.meta({
  id: 'Provider',
  description: 'Where models come from; its addresses and metadata are for administrators.',
  examples: [
    {
      id: 'prov_25fyxkr05kmp90vo',
      object: 'provider',
      name: 'Local vLLM',
      vendor: 'vllm',
      category: 'llm',
      active: true,
      model_count: 2,
    } satisfies z.output<typeof providerFields>,
  ],
})

function modelJson(model: ModelFieldsFragment): ModelObject {
  return {
    id: model.id,
    object: 'model',
    created: unixSeconds(model.createdAt),
    owned_by: model.ownedBy,
    model_display_name: model.displayName,
    category: model.category,
    category_order_number: model.categoryOrder,
    model_order_number: model.modelOrder,
  }
}

/** `X-PROVIDER-DATA: true`: one entry for each provider of a model. */
function modelsByProvider(model: ModelFieldsFragment): ModelObject[] {
  return model.providers.map(({ id, vendor, name }) => ({
    ...modelJson(model),
    provider_id: id,
    provider_vendor: vendor,
    provider_name: name,
  }))
}

function catalogJson(entry: CatalogEntryFieldsFragment): z.output<typeof catalogEntry> {
  return {
    id: entry.id,
    public_id: entry.id,
    name: entry.displayName,
    model_display_name: entry.displayName,
    description: entry.description,
    supported_parameters: entry.supportedParameters,
    architecture: entry.architecture,
    tags: [...entry.tags],
    notes: entry.notes,
    context_length: entry.contextLength,
    is_moderated: entry.isModerated,
    active: entry.isActive,
    extras: entry.extras,
    status: entry.status.toLowerCase() as 'init' | 'filled' | 'updated',
    family: entry.family,
    experimental: entry.isExperimental,
    requires_feature_flag: entry.requiresFeatureFlag,
    supports_images: entry.capabilities.images,
    supports_embeddings: entry.capabilities.embeddings,
    supports_reasoning: entry.capabilities.reasoning,
    supports_instruct: entry.supportsInstruct,
    supports_audio: entry.capabilities.audio,
    supports_video: entry.capabilities.video,
    supports_tools: entry.capabilities.tools,
    supports_browser: entry.supportsBrowser,
    last_synced_at: optionalUnixSeconds(entry.lastSyncedAt),
    created_at: unixSeconds(entry.createdAt),
    updated_at: unixSeconds(entry.updatedAt),
  }
}

/** The graph gives null to those who may not know where a provider is: the fields are then left out. */
function providerJson(from: ProvidersQuery['providers'][number]): z.output<typeof provider> {
  return {
    id: from.id,
    object: 'provider',
    name: from.name,
    vendor: from.vendor,
    category: from.category,
    active: from.isActive,
    model_count: from.modelCount,
    ...(from.baseUrl == null ? {} : { base_url: from.baseUrl }),
    ...(from.endpoints == null ? {} : { endpoints: from.endpoints }),
    ...(from.metadata == null ? {} : { metadata: from.metadata }),
  }
}

function modelNotFound(): never {
  throw new AppError('model_not_found', 'There is no such model.', { param: 'model' })
}

/** Contract 2.5. Ids may contain slashes: the routes for one model take the rest of the path. */
export const modelRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/models',
    operationId: 'listModels',
    summary: 'List the models that answer',
    tag,
    headers: { 'X-PROVIDER-DATA': '`true` gives one entry for each provider of a model, with who that is.' },
    operation: AllModelsDocument,
    variables: () => ({}),
    present: ({ allModels }, { request }) => ({
      object: 'list' as const,
      data:
        request.headers['x-provider-data'] === 'true'
          ? allModels.flatMap(modelsByProvider)
          : allModels.map(modelJson),
    }),
    response: openAiList(modelObject),
  }),
  route({
    method: 'get',
    path: '/v1/models/catalogs',
    rate: { perMinute: 600 },
    summary: 'List what is known of the models',
    tag,
    query: catalogQuery,
    operation: ModelCatalogsDocument,
    variables: ({ query: { capability, family, ...page } }) => {
      const { first, after, offset } = pageArguments(page)
      return {
        first,
        after,
        offset,
        capability: (capability?.toUpperCase() ?? null) as Uppercase<NonNullable<typeof capability>> | null,
        family: family ?? null,
      }
    },
    present: ({ modelCatalogs }, { context }) => list(modelCatalogs, catalogJson, context.requestId),
    response: listOf(catalogEntry),
  }),
  route({
    method: 'get',
    path: '/v1/models/catalogs/*public_id',
    summary: 'Read what is known of a model',
    tag,
    operation: ModelCatalogDocument,
    variables: ({ params }) => ({ id: params.public_id ?? '' }),
    present: ({ modelCatalog }, { context }) =>
      modelCatalog ? dual(catalogJson(modelCatalog), context.requestId) : modelNotFound(),
    response: dualOf(catalogEntry),
  }),
  route({
    method: 'get',
    path: '/v1/models/providers',
    summary: 'List where models come from',
    tag,
    operation: ProvidersDocument,
    variables: () => ({}),
    present: ({ providers }) => ({ object: 'list' as const, data: providers.map(providerJson) }),
    response: openAiList(provider),
  }),
  route({
    method: 'get',
    path: '/v1/models/*model_id',
    summary: 'Read a model',
    tag,
    operation: ModelDocument,
    variables: ({ params }) => ({ id: params.model_id ?? '' }),
    present: ({ model }) => (model ? modelJson(model) : modelNotFound()),
    response: modelObject,
  }),
]
