import { randomUUID } from 'node:crypto'
import type { Logger } from '../../../platform/log.ts'
import type { Notifications } from '../../../platform/notifications.ts'
import type { CatalogueSource } from '../sources/catalogue-source.ts'
import type { ProviderClients } from './provider-clients.ts'
import { ModelRegistry, type RegistryOptions } from './registry.ts'

/** The hint by which processes tell each other that providers or models have changed. */
const channel = 'models_changed'

/** What the catalogue lives on. */
export interface LiveCatalogueParts {
  readonly source: CatalogueSource
  readonly clients: ProviderClients
  readonly notifications: Notifications
  readonly options: RegistryOptions
  readonly log: Logger
}

/** The registry of this process, kept up to date: built anew when this process or another has stored something. */
export class LiveCatalogue {
  readonly #parts: LiveCatalogueParts
  readonly #id = randomUUID()
  #registry: ModelRegistry
  #reload: Promise<void> | null = null
  #again = false
  #unfollow: (() => void)[] = []

  constructor(parts: LiveCatalogueParts) {
    this.#parts = parts
    this.#registry = new ModelRegistry({ providers: [], models: [], entries: [] }, parts.options)
  }

  get registry(): ModelRegistry {
    return this.#registry
  }

  get clients(): ProviderClients {
    return this.#parts.clients
  }

  /** Reads what is stored, and follows what others store from now on. */
  async open(): Promise<void> {
    const { notifications } = this.#parts
    const reload = () => void this.reload().catch((error: unknown) => this.#failed(error))
    this.#unfollow = [
      notifications.follow(channel, (origin) => {
        if (origin !== this.#id) reload()
      }),
      notifications.onChange((connected) => {
        if (connected) reload()
      }),
    ]
    await this.reload()
  }

  /** Builds the registry anew. Calls during a reload share the one after it. */
  reload(): Promise<void> {
    if (this.#reload) {
      this.#again = true
      return this.#reload
    }
    this.#reload = this.#read().finally(() => {
      this.#reload = null
    })
    return this.#reload
  }

  /** To be called after something was stored. */
  async changed(): Promise<void> {
    await this.reload()
    await this.#parts.notifications.publish(channel, this.#id)
  }

  close(): void {
    for (const unfollow of this.#unfollow) unfollow()
  }

  async #read(): Promise<void> {
    const { source, clients, options } = this.#parts
    do {
      this.#again = false
      const rows = await source.load()
      clients.follow(rows.providers.filter(({ isActive }) => isActive))
      this.#registry = new ModelRegistry(rows, options)
    } while (this.#again)
  }

  /** The registry stays as it was: the next change, or the next sync, mends it. */
  #failed(error: unknown): void {
    this.#parts.log.warn({ err: error }, 'the models could not be read again')
  }
}
