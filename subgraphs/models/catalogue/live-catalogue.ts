import { LiveValue } from '../../../platform/live-value.ts'
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
export class LiveCatalogue extends LiveValue<ModelRegistry> {
  readonly clients: ProviderClients

  constructor({ source, clients, notifications, options, log }: LiveCatalogueParts) {
    const parts = {
      channel,
      notifications,
      async read() {
        const rows = await source.load()
        clients.follow(rows.providers.filter(({ isActive }) => isActive))
        return new ModelRegistry(rows, options)
      },
      failed: (error: unknown) => log.warn({ err: error }, 'the models could not be read again'),
    }
    super(parts, new ModelRegistry({ providers: [], models: [], entries: [] }, options))
    this.clients = clients
  }

  get registry(): ModelRegistry {
    return this.current
  }
}
