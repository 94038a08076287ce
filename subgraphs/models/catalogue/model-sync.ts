import type { Logger } from '../../../platform/log.ts'
import type { SecretBox } from '../../../platform/secret-box.ts'
import type { Provider } from '../entities.ts'
import { type GuardedEndpoint, type ProviderModel, readModelList } from '../providers/index.ts'
import type { CatalogueSource } from '../sources/catalogue-source.ts'
import type { ConfiguredProvider } from './configured-provider.ts'
import type { LiveCatalogue } from './live-catalogue.ts'
import { sealProviderKey } from './provider-clients.ts'

const listTimeoutMs = 15_000
/** The start waits no longer than this for providers' lists; late ones arrive in the background. */
const startBoxMs = 3_000
const firstRetryMs = 2_000
const longestRetryMs = 300_000

/** What a sync works with. */
export interface ModelSyncParts {
  readonly catalogue: LiveCatalogue
  readonly source: CatalogueSource
  readonly secrets: SecretBox
  readonly log: Logger
  /** Null where lists are not read again. */
  readonly intervalMs: number | null
}

/** Keeps the stored providers as they are configured, and their models as they list them. */
export class ModelSync {
  readonly #parts: ModelSyncParts
  readonly #stopping = new AbortController()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  /** Models of providers that have no list, by source key. */
  readonly #fixedModels = new Map<string, readonly string[]>()
  readonly #running = new Set<Promise<void>>()
  #interval: NodeJS.Timeout | undefined

  constructor(parts: ModelSyncParts) {
    this.#parts = parts
  }

  /** Stores what is configured: it is served with the models that were known last, until a fresh list is there. */
  async store(configured: readonly ConfiguredProvider[]): Promise<void> {
    const { source } = this.#parts
    for (const provider of configured) await this.storeProvider(provider)
    await source.deactivateOthers(
      ['environment', 'file', 'builtin'],
      configured.map(({ sourceKey }) => sourceKey),
    )
  }

  /** Asks for fresh lists. Waits for them, but not for long. */
  async start(): Promise<void> {
    const { intervalMs } = this.#parts
    const wanted = this.#providers().filter(({ lastSyncedAt }) => intervalMs !== null || !lastSyncedAt)
    const box = new Promise<void>((resolve) => setTimeout(resolve, startBoxMs).unref())
    await Promise.race([this.#syncAll(wanted), box])
    if (intervalMs !== null && !this.#stopping.signal.aborted) {
      this.#interval = setInterval(() => void this.#syncAll(this.#providers()), intervalMs)
      this.#interval.unref()
    }
  }

  /** Stores one provider with its key sealed. Gives its row's key. */
  storeProvider({ apiKey, models, ...provider }: ConfiguredProvider): Promise<string> {
    if (models.length > 0) this.#fixedModels.set(provider.sourceKey, models)
    return this.#parts.source.storeProvider({
      ...provider,
      apiKeySealed: apiKey === null ? null : sealProviderKey(this.#parts.secrets, apiKey),
      apiKeyHint: apiKey !== null && apiKey.length >= 12 ? apiKey.slice(-4) : null,
    })
  }

  /** Settles when nothing of it uses the database any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#interval)
    for (const timer of this.#timers.values()) clearTimeout(timer)
    await Promise.all(this.#running)
  }

  /** Runtimes that were discovered have their own round. */
  #providers(): Provider[] {
    return this.#parts.catalogue.registry.providers.filter(
      ({ source, category }) => source !== 'discovered' && category === 'llm',
    )
  }

  async #syncAll(providers: readonly Provider[]): Promise<void> {
    await Promise.all(providers.map((provider) => this.#run(provider, firstRetryMs)))
  }

  #run(provider: Provider, retryMs: number): Promise<void> {
    const running = this.#sync(provider, retryMs).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }

  /** A provider that does not answer keeps its last known models and is asked again. */
  async #sync(provider: Provider, retryMs: number): Promise<void> {
    const { catalogue, source, log } = this.#parts
    try {
      await source.storeModels(provider.key, await this.#list(provider))
      await catalogue.changed()
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      log.warn({ err: error, provider: provider.name }, 'the models of a provider could not be listed')
      this.#retry(provider, retryMs)
    }
  }

  #retry(provider: Provider, delayMs: number): void {
    clearTimeout(this.#timers.get(provider.publicId))
    const timer = setTimeout(() => {
      const current = this.#parts.catalogue.registry.provider(provider.publicId)
      if (current) void this.#run(current, Math.min(delayMs * 2, longestRetryMs))
    }, delayMs)
    timer.unref()
    this.#timers.set(provider.publicId, timer)
  }

  async #list(provider: Provider) {
    const fixed = this.#fixedModels.get(provider.sourceKey)
    if (fixed) return readModelList(fixed.map((id) => ({ id }))) ?? []
    return this.#firstList(this.#parts.catalogue.clients.inOrder(provider))
  }

  /** Of the first endpoint that has one; the failure of the last where none has. */
  async #firstList([first, ...others]: readonly GuardedEndpoint[]): Promise<ProviderModel[]> {
    if (!first) throw new Error('The provider has no endpoint.')
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(listTimeoutMs)])
    const list = first.client.listModels(signal)
    return others.length === 0 ? list : list.catch(() => this.#firstList(others))
  }
}
