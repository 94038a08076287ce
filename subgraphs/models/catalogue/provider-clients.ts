import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../../platform/log.ts'
import type { SecretBox } from '../../../platform/secret-box.ts'
import type { Provider as ProviderRow } from '../entities.ts'
import { createHttpProvider, type Provider, type ProviderTimeouts } from '../providers/index.ts'
import type { ProviderEndpointRow } from './rows.ts'

const closeBoxMs = 1_000

/** The purpose under which provider keys are sealed. */
const keyPurpose = 'models.provider-key'

export function sealProviderKey(secrets: SecretBox, apiKey: string): string {
  return secrets.seal(keyPurpose, apiKey)
}

interface OpenEndpoint {
  readonly row: ProviderEndpointRow
  readonly client: Provider
}

/** What the clients are made with. */
export interface ClientOptions {
  readonly secrets: SecretBox
  readonly timeouts: Partial<ProviderTimeouts>
  /** Answers for the built-in provider. */
  readonly development: Provider
  readonly log: Logger
}

/** The open connections to providers. A client lives as long as its address and key do. */
export class ProviderClients {
  readonly #options: ClientOptions
  #open = new Map<string, Provider>()
  #endpoints = new Map<string, OpenEndpoint[]>()
  #turn = 0

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** Opens what is new among the active providers, and closes what is gone once its calls have ended. */
  follow(rows: readonly ProviderRow[]): void {
    const before = this.#open
    this.#open = new Map()
    this.#endpoints = new Map()
    for (const row of rows) {
      const apiKey = this.#keyOf(row)
      if (apiKey === undefined) continue
      this.#endpoints.set(
        row.key,
        row.endpoints.map((endpoint) => ({
          row: endpoint,
          client: this.#client(endpoint.url, row.vendor, apiKey, before),
        })),
      )
    }
    for (const [key, client] of before) if (!this.#open.has(key)) this.#close(client)
  }

  /** The clients of a provider in the order in which a call tries them: by priority, and within one by weight in turn. */
  inOrder(row: Pick<ProviderRow, 'key' | 'source'>): readonly Provider[] {
    if (row.source === 'builtin') return [this.#options.development]
    const endpoints = this.#endpoints.get(row.key) ?? []
    if (endpoints.length < 2) return endpoints.map(({ client }) => client)
    const first = weighted(
      endpoints.filter((endpoint) => endpoint.row.priority === lowestPriority(endpoints)),
      this.#turn++,
    )
    const others = endpoints.filter((endpoint) => endpoint !== first)
    return [first, ...others.sort((one, other) => one.row.priority - other.row.priority)].flatMap(
      (endpoint) => (endpoint ? [endpoint.client] : []),
    )
  }

  /** Waits for running calls, but not for long: whoever asked has left by now. */
  async close(): Promise<void> {
    const closed = Promise.all([...this.#open.values()].map((client) => client.close()))
    await Promise.race([closed, sleep(closeBoxMs, undefined, { ref: false })])
  }

  /** Undefined where the key can't be opened: it was sealed under another secret. Such a provider is left out. */
  #keyOf({ apiKeySealed, name }: ProviderRow): string | null | undefined {
    if (apiKeySealed === null || apiKeySealed === undefined) return null
    try {
      return this.#options.secrets.open(keyPurpose, apiKeySealed)
    } catch (error) {
      this.#options.log.error(
        { err: error, provider: name },
        'a provider key was sealed under another JAN_SECRET',
      )
      return undefined
    }
  }

  #client(
    url: string,
    vendor: string,
    apiKey: string | null,
    before: ReadonlyMap<string, Provider>,
  ): Provider {
    const key = JSON.stringify([url, vendor, apiKey])
    const client =
      this.#open.get(key) ??
      before.get(key) ??
      createHttpProvider({ url, vendor, apiKey }, { timeouts: this.#options.timeouts })
    this.#open.set(key, client)
    return client
  }

  #close(client: Provider): void {
    client
      .close()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'a provider did not close'))
  }
}

function lowestPriority(endpoints: readonly OpenEndpoint[]): number {
  return Math.min(...endpoints.map(({ row }) => row.priority))
}

/** Weighted round robin: of 3 and 1, three calls go to the first and the fourth to the second. */
function weighted(endpoints: readonly OpenEndpoint[], turn: number): OpenEndpoint | undefined {
  const total = endpoints.reduce((sum, { row }) => sum + row.weight, 0)
  let rest = turn % total
  for (const endpoint of endpoints) {
    if (rest < endpoint.row.weight) return endpoint
    rest -= endpoint.row.weight
  }
  return endpoints[0]
}
