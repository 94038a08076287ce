import type { DepartmentResolvers } from '../../platform/merge-resolvers.ts'
import { RawBody } from '../../platform/openai/raw-body.ts'
import { capabilitiesOf } from './catalogue/registry.ts'
import { fromInput, fromRawBody } from './completion/chat-request.ts'
import { ChunkEvents } from './completion/chunk-events.ts'
import { embeddingCall, embeddingCallOf } from './completion/embeddings.ts'
import { frameEvents } from './completion/frame-events.ts'
import { presentCompletion, presentEmbeddings } from './completion/present.ts'
import type { JsonObject } from './providers/index.ts'
import { rawBodyScalar, rawFramesScalar } from './raw-scalars.ts'
import type { CatalogStatus, ProviderSource, Resolvers } from './schema.generated.ts'

export const resolvers = {
  RawBody: rawBodyScalar,
  RawFrames: rawFramesScalar,
  Query: {
    model: (_, { id }, { catalogue }) => catalogue.model(id),
    models: (_, args, { catalogue }) => catalogue.page(args),
    allModels: (_, __, { catalogue }) => catalogue.all(),
    modelCatalog: (_, { id }, { catalogue }) => catalogue.entry(id),
    modelCatalogs: (_, args, { catalogue }) => catalogue.entries(args),
    providers: (_, __, { catalogue }) => [...catalogue.providers()],
  },
  Mutation: {
    async createChatCompletion(_, { input }, { completions }) {
      const bytes = await completions.complete(fromInput(input))
      return presentCompletion(JSON.parse(bytes.toString()) as JsonObject)
    },
    async createEmbeddings(_, { input }, { embeddings }) {
      const { json } = await embeddings.embed(embeddingCallOf(input))
      return presentEmbeddings(json, input.model)
    },
    async completeChat(_, { request, referrer }, { completions }) {
      return new RawBody(await completions.complete(fromRawBody(request, referrer ?? null)))
    },
    async embed(_, { request }, { embeddings }) {
      const { bytes } = await embeddings.embed(embeddingCall(request))
      return new RawBody(bytes)
    },
  },
  Subscription: {
    chatCompletion: {
      subscribe: async (_, { input }, { completions }) =>
        new ChunkEvents('chatCompletion', await completions.stream(fromInput(input))),
    },
    streamChat: {
      subscribe: async (_, { request, referrer }, { completions }) =>
        frameEvents('streamChat', await completions.stream(fromRawBody(request, referrer ?? null))),
    },
  },
  Model: {
    __resolveReference: ({ id }, { catalogue }) => catalogue.model(id),
    provider: ({ offers }) => offers[0].provider,
    providers: ({ offers }) => offers.map(({ provider }) => provider),
    catalogEntry: ({ entry }) => entry,
  },
  Provider: {
    __resolveReference: ({ id }, { catalogue }) => catalogue.provider(id),
    id: ({ publicId }) => publicId,
    source: ({ source }) => source.toUpperCase() as ProviderSource,
    modelCount: (provider, _, { catalogue }) => catalogue.modelCount(provider),
    baseUrl: ({ endpoints }, _, { catalogue }) => catalogue.forAdmins(endpoints[0]?.url ?? null),
    endpoints: (provider, _, { catalogue }) => catalogue.forAdmins(catalogue.endpoints(provider)),
    metadata: ({ metadata }, _, { catalogue }) => catalogue.forAdmins(metadata),
  },
  CatalogEntry: {
    id: ({ modelId }) => modelId,
    status: ({ status }) => status.toUpperCase() as CatalogStatus,
    capabilities: (entry) => capabilitiesOf(entry),
  },
  ChatCompletion: {
    model: ({ modelId }, _, { catalogue }) => catalogue.model(modelId),
  },
  ChatCompletionChunk: {
    model: ({ modelId }, _, { catalogue }) => catalogue.model(modelId),
  },
} satisfies DepartmentResolvers<Resolvers>
