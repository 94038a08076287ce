import type { Logger } from '../../../platform/log.ts'
import {
  type DiscoveredRuntime,
  discoverRuntimes,
  type RuntimeCandidate,
  usualRuntimes,
} from '../providers/index.ts'
import type { CatalogueSource } from '../sources/catalogue-source.ts'
import { type ConfiguredProvider, singleEndpoint } from './configured-provider.ts'
import type { LiveCatalogue } from './live-catalogue.ts'
import type { ModelSync } from './model-sync.ts'

/** What discovery works with. */
export interface DiscoveryParts {
  readonly catalogue: LiveCatalogue
  readonly source: CatalogueSource
  readonly sync: ModelSync
  readonly log: Logger
  readonly intervalMs: number
  /** Ports that are never asked: our own. */
  readonly exceptPorts: readonly number[]
  /** Where to look. */
  readonly candidates: readonly RuntimeCandidate[]
}

/** Looks for runtimes on this machine, at the start and then again and again. Writes only where something has changed. */
export class RuntimeDiscovery {
  readonly #parts: DiscoveryParts
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | null = null
  #known: string | null = null

  constructor(parts: DiscoveryParts) {
    this.#parts = parts
  }

  /** The first look; later ones follow by themselves. */
  async start(): Promise<void> {
    this.#looking = this.#look()
    await this.#looking
    if (this.#stopping.signal.aborted) return
    this.#timer = setTimeout(() => void this.start(), this.#parts.intervalMs)
    this.#timer.unref()
  }

  /** Settles when nothing of it uses the database any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { exceptPorts, candidates, log } = this.#parts
    try {
      const found = await discoverRuntimes({
        exceptPorts,
        signal: this.#stopping.signal,
        candidates,
      })
      if (this.#stopping.signal.aborted) return
      await this.#store(found.filter((runtime) => !this.#isConfigured(runtime)))
    } catch (error) {
      log.warn({ err: error }, 'what runs on this machine could not be stored')
    }
  }

  async #store(runtimes: readonly DiscoveredRuntime[]): Promise<void> {
    const state = JSON.stringify(runtimes.map(({ url, models }) => [url, models.map(({ id }) => id)]))
    if (state === this.#known) return
    const { catalogue, source, sync } = this.#parts
    for (const runtime of runtimes) {
      await source.storeModels(await sync.storeProvider(discovered(runtime)), runtime.models)
    }
    await source.deactivateOthers(['discovered'], runtimes.map(sourceKey))
    await catalogue.changed()
    this.#known = state
  }

  #isConfigured({ url }: DiscoveredRuntime): boolean {
    return this.#parts.catalogue.registry.providers.some(
      ({ source, endpoints }) =>
        source !== 'discovered' && endpoints.some((endpoint) => address(endpoint.url) === address(url)),
    )
  }
}

/** The usual places, unless others are named. */
export function runtimeCandidates(urls: readonly string[]): readonly RuntimeCandidate[] {
  if (urls.length === 0) return usualRuntimes
  return urls.map((url) => ({ url, vendor: 'custom', name: new URL(url).host }))
}

function discovered(runtime: DiscoveredRuntime): ConfiguredProvider {
  return {
    source: 'discovered',
    sourceKey: sourceKey(runtime),
    name: runtime.name,
    vendor: runtime.vendor,
    endpoints: singleEndpoint(runtime.url),
    apiKey: null,
    category: 'llm',
    metadata: {},
    models: [],
  }
}

const sourceKey = ({ url }: DiscoveredRuntime) => `discovered:${url}`

function address(url: string): string {
  return new URL(url).host.replace('localhost', '127.0.0.1')
}
