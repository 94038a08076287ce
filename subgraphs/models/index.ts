import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { defineSubgraph, type SubgraphServices } from '../../platform/subgraph.ts'
import type { ConfiguredProvider } from './catalogue/configured-provider.ts'
import { environmentProviders } from './catalogue/environment-providers.ts'
import { LiveCatalogue } from './catalogue/live-catalogue.ts'
import { ModelSync } from './catalogue/model-sync.ts'
import { availableModels } from './catalogue/notice.ts'
import { ProviderClients } from './catalogue/provider-clients.ts'
import {
  configuredFallbacks,
  fileProviders,
  type ProviderFile,
  readProviderFile,
} from './catalogue/provider-file.ts'
import type { RegistryOptions } from './catalogue/registry.ts'
import { RuntimeDiscovery, runtimeCandidates } from './catalogue/runtime-discovery.ts'
import { type InferenceMetrics, inferenceMetrics } from './completion/inference-metrics.ts'
import { UsageRecorder } from './completion/usage-recorder.ts'
import { type ModelsConfig, modelsConfig } from './config.ts'
import { Tokenizer, TokenRates } from './context/index.ts'
import { modelsContext } from './context.ts'
import { CatalogEntry, Provider, ProviderModel } from './entities.ts'
import { HeldBytes } from './images/held-bytes.ts'
import { imageResolvers } from './images/resolvers.ts'
import type { ImageParts } from './images/service.ts'
import type { openMemory } from './memory/process.ts'
import { memoryResolvers } from './memory/resolvers.ts'
import { models as createModels } from './migrations/0001-models.ts'
import { prompts as createPrompts } from './migrations/0002-prompts.ts'
import { openPrompts } from './prompts/process.ts'
import { promptResolvers } from './prompts/resolvers.ts'
import { createDevelopmentProvider, defaultTimeouts, type EndpointGuards } from './providers/index.ts'
import { regenerationResolvers } from './regeneration/resolvers.ts'
import { resolvers } from './resolvers.ts'
import type { Resolvers } from './schema.generated.ts'
import { settingsResolvers } from './settings/resolvers.ts'
import { catalogueSource } from './sources/catalogue-source.ts'
import { TitleWriter } from './titles/index.ts'

/** Providers, the catalogue, chat completions and embeddings: the owner of provider keys, and so of tokens. */
export const models = defineSubgraph({
  name: 'models',
  home: import.meta.url,
  resolvers: mergeResolvers(
    resolvers,
    regenerationResolvers,
    settingsResolvers,
    promptResolvers,
    memoryResolvers,
    imageResolvers,
  ) satisfies Resolvers,
  persistence: {
    entities: [Provider, ProviderModel, CatalogEntry],
    migrations: [createModels, createPrompts],
  },
  config: modelsConfig,
  async start(services) {
    const file = await readProviderFile(services.settings)
    const configured = [
      ...environmentProviders(services.settings),
      ...fileProviders(file, services.settings),
      builtIn,
    ]
    const metrics = inferenceMetrics(services.metrics)
    const usage = new UsageRecorder(services.background, services.log, metrics.used)
    const bounds = {
      retries: services.settings.PROVIDER_MAX_RETRIES,
      totalMs: services.settings.STREAM_TIMEOUT ?? defaultTimeouts.totalMs,
    }
    const counting = { tokenizer: new Tokenizer(services.log), rates: new TokenRates() }
    const { catalogue, sync, discovery } = openCatalogue(services, file, metrics)
    const titles = titleWriter(services, catalogue, usage)
    await sync.store(configured)
    await catalogue.open()
    // What memory asks of models is nobody's turn: it is not told of, has no title, and no prompt goes before it.
    const { objects, outbound, tracing } = services
    const asking = { catalogue, counting, usage, metrics, tracing, bounds, objects, outbound }
    const parts = { ...asking, titles: null, observe: null, orchestrator: null }
    const memory = services.settings.MEMORY_ENABLED ? await loadMemory(services, parts) : null
    const prompts = await openPrompts({ ...services, recall: memory?.forPrompts ?? null })
    const requestParts = {
      ...parts,
      titles,
      observe: memory?.observe ?? null,
      orchestrator: prompts.orchestrator,
      memory,
      prompts,
      images: imageParts(services, catalogue, usage),
    }
    return {
      createContext: (request) => modelsContext(request, requestParts),
      async ready() {
        await Promise.all([sync.start(), discovery?.start()])
        memory?.start()
      },
      notices: () => [availableModels(catalogue.registry)],
      async stop() {
        // What is still being learned or named needs the models.
        await Promise.all([memory?.stop(), titles.stop()])
        await Promise.all([catalogue.close(), prompts.close(), sync.stop(), discovery?.stop()])
        await counting.tokenizer.close()
        await usage.flush()
        await catalogue.clients.close()
      },
    }
  },
})

/** Most platforms have memory off, and don't pay for it. */
async function loadMemory(...args: Parameters<typeof openMemory>) {
  const { openMemory } = await import('./memory/process.ts')
  return openMemory(...args)
}

function imageParts(
  { settings, platform, outbound, objects }: SubgraphServices<ModelsConfig>,
  catalogue: LiveCatalogue,
  usage: UsageRecorder,
): ImageParts {
  const mayDraw = developmentMode(settings, platform.ENVIRONMENT) !== 'never'
  return {
    catalogue,
    usage,
    outbound,
    objects,
    held: new HeldBytes(),
    development: mayDraw ? catalogue.clients.drawing : null,
    isEnabled: settings.IMAGE_GENERATION_ENABLED,
    defaultModel: settings.IMAGE_DEFAULT_MODEL,
    defaultSize: settings.IMAGE_DEFAULT_SIZE,
    mostImages: settings.IMAGE_MAX_N,
    timeoutMs: settings.IMAGE_GENERATION_TIMEOUT,
    retries: settings.PROVIDER_MAX_RETRIES,
  }
}

function titleWriter(
  { settings, log }: SubgraphServices<ModelsConfig>,
  catalogue: LiveCatalogue,
  usage: UsageRecorder,
): TitleWriter {
  const modelId = settings.CONVERSATION_TITLE_GENERATION_ENABLED
    ? settings.CONVERSATION_TITLE_GENERATION_MODEL_ID
    : null
  return new TitleWriter({ modelId, catalogue, usage, log })
}

const builtIn: ConfiguredProvider = {
  source: 'builtin',
  sourceKey: 'builtin:development',
  name: 'Jan development',
  vendor: 'jan',
  endpoints: [],
  apiKey: null,
  category: 'llm',
  metadata: {},
  models: [],
}

function openCatalogue(
  { database, notifications, secrets, settings, platform, log }: SubgraphServices<ModelsConfig>,
  file: ProviderFile | null,
  metrics: InferenceMetrics,
) {
  const source = catalogueSource(database)
  const clients = new ProviderClients({
    secrets,
    log,
    metrics,
    development: createDevelopmentProvider({ chunkDelayMs: settings.DEVELOPMENT_MODEL_CHUNK_DELAY_MS }),
    guards: guards(settings),
    timeouts: {
      connectMs: settings.PROVIDER_CONNECT_TIMEOUT,
      headMs: settings.HTTP_TIMEOUT ?? null,
      ...(settings.STREAM_TIMEOUT === undefined ? {} : { totalMs: settings.STREAM_TIMEOUT }),
      ...(settings.STREAM_IDLE_TIMEOUT === undefined ? {} : { idleMs: settings.STREAM_IDLE_TIMEOUT }),
    },
  })
  const options = {
    aliases: settings.MODEL_ALIASES,
    fallbacks: configuredFallbacks(file, settings),
    development: developmentMode(settings, platform.ENVIRONMENT),
  }
  const catalogue = new LiveCatalogue({ source, clients, notifications, options, log })
  const sync = new ModelSync({
    catalogue,
    source,
    secrets,
    log,
    intervalMs: settings.MODEL_SYNC_ENABLED ? settings.MODEL_SYNC_INTERVAL_MINUTES * 60_000 : null,
  })
  const discovery = settings.MODEL_DISCOVERY
    ? new RuntimeDiscovery({
        catalogue,
        source,
        sync,
        log,
        intervalMs: settings.MODEL_DISCOVERY_INTERVAL_SECONDS * 1000,
        exceptPorts: [platform.PORT],
        candidates: runtimeCandidates(settings.MODEL_DISCOVERY_URLS),
      })
    : null
  return { catalogue, sync, discovery }
}

function guards(settings: ModelsConfig): Omit<EndpointGuards, 'onCircuit'> {
  return {
    queue: {
      concurrency: settings.PROVIDER_MAX_CONCURRENCY,
      length: settings.PROVIDER_QUEUE_LENGTH,
      waitMs: settings.PROVIDER_QUEUE_TIMEOUT,
    },
    circuit: { faults: settings.PROVIDER_BREAKER_FAULTS, openMs: settings.PROVIDER_BREAKER_COOLDOWN },
  }
}

/** Contract 2.5: in production the built-in model answers only where it was asked for. */
function developmentMode(
  { DEVELOPMENT_MODEL }: ModelsConfig,
  environment: string,
): RegistryOptions['development'] {
  if (DEVELOPMENT_MODEL !== undefined) return DEVELOPMENT_MODEL ? 'always' : 'never'
  return environment === 'production' ? 'never' : 'fallback'
}
