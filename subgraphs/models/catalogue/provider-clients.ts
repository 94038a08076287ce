import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../../platform/log.ts'
import type { SecretBox } from '../../../platform/secret-box.ts'
import type { InferenceMetrics } from '../completion/inference-metrics.ts'
import type { Provider as ProviderRow } from '../entities.ts'
import {
  createHttpProvider,
  type EndpointGuards,
  GuardedEndpoint,
  type Provider,
  type ProviderTimeouts,
} from '../providers/index.ts'
import type { ProviderEndpointRow } from './rows.ts'

const closeBoxMs = 1_000

/** The purpose under which provider keys are sealed. */
const keyPurpose = 'models.provider-key'

export function sealProviderKey(secrets: SecretBox, apiKey: string): string {
  return secrets.seal(keyPurpose, apiKey)
}

interface OpenEndpoint {
  readonly row: ProviderEndpointRow
  readonly endpoint: GuardedEndpoint
}

/** An address of a provider as administrators see it. */
export interface EndpointHealth extends ProviderEndpointRow {
  readonly healthy: boolean
}

/** What the clients are made with. */
export interface ClientOptions {
  readonly secrets: SecretBox
  readonly timeouts: Partial<ProviderTimeouts>
  readonly guards: Omit<EndpointGuards, 'onCircuit'>
  /** Answers for the built-in provider. */
  readonly development: Provider
  readonly log: Logger
  readonly metrics: Pick<InferenceMetrics, 'health'>
}

/** The endpoints of providers with their open connections. Each lives as long as its address and key do. */
export class ProviderClients {
  readonly #options: ClientOptions
  readonly #development: GuardedEndpoint
  /** The built-in provider as far as it draws: that takes a core. */
  readonly drawing: GuardedEndpoint
  #open = new Map<string, GuardedEndpoint>()
  #endpoints = new Map<string, OpenEndpoint[]>()
  /** How often each provider's turn came. */
  readonly #turns = new Map<string, number>()

  constructor(options: ClientOptions) {
    this.#options = options
    this.#development = new GuardedEndpoint(options.development, unguarded)
    this.drawing = new GuardedEndpoint(options.development, { ...unguarded, queue: drawingQueue })
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
          endpoint: this.#endpoint(endpoint, row, apiKey, before),
        })),
      )
    }
    for (const [key, { client }] of before) if (!this.#open.has(key)) this.#close(client)
  }

  /** The endpoints of a provider in the order in which a call tries them: by priority, and within one by weight in turn. */
  inOrder(row: Pick<ProviderRow, 'key' | 'source'>): readonly GuardedEndpoint[] {
    if (row.source === 'builtin') return [this.#development]
    const endpoints = this.#endpoints.get(row.key) ?? []
    if (endpoints.length < 2) return endpoints.map(({ endpoint }) => endpoint)
    const turn = this.#turns.get(row.key) ?? 0
    this.#turns.set(row.key, turn + 1)
    const first = weighted(
      endpoints.filter((endpoint) => endpoint.row.priority === lowestPriority(endpoints)),
      turn,
    )
    const others = endpoints.filter((endpoint) => endpoint !== first)
    return [first, ...others.sort((one, other) => one.row.priority - other.row.priority)].flatMap((one) =>
      one ? [one.endpoint] : [],
    )
  }

  /** A provider's addresses with what this process knows of their health: false while one keeps failing with some model. */
  health({ key, endpoints }: ProviderRow): readonly EndpointHealth[] {
    const open = this.#endpoints.get(key) ?? []
    return endpoints.map((row, at) => ({ ...row, healthy: open[at]?.endpoint.isHealthy ?? true }))
  }

  /** Waits for running calls, but not for long: whoever asked has left by now. */
  async close(): Promise<void> {
    const closed = Promise.all([...this.#open.values()].map(({ client }) => client.close()))
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

  #endpoint(
    { url, maxConcurrency }: ProviderEndpointRow,
    { vendor, name }: ProviderRow,
    apiKey: string | null,
    before: ReadonlyMap<string, GuardedEndpoint>,
  ): GuardedEndpoint {
    const { timeouts, guards, log, metrics } = this.#options
    const key = JSON.stringify([url, vendor, apiKey])
    const endpoint =
      this.#open.get(key) ??
      before.get(key) ??
      new GuardedEndpoint(createHttpProvider({ url, vendor, apiKey }, { timeouts }), {
        ...guards,
        onCircuit(model, isOpen) {
          logCircuit(log, { provider: name, url, model }, isOpen)
          metrics.health(name, model, !isOpen)
        },
      })
    endpoint.queue.setConcurrency(maxConcurrency ?? guards.queue.concurrency)
    this.#open.set(key, endpoint)
    return endpoint
  }

  #close(client: Provider): void {
    client
      .close()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'a provider did not close'))
  }
}

/** For what runs in this process. */
const unguarded: EndpointGuards = {
  queue: { concurrency: 0, length: 0, waitMs: 0 },
  circuit: { faults: 0, openMs: 0 },
}

const drawingQueue = { concurrency: 2, length: 100, waitMs: 30_000 }

function logCircuit(
  log: Logger,
  what: { provider: string; url: string; model: string },
  isOpen: boolean,
): void {
  if (isOpen) log.warn(what, 'a provider keeps failing with a model: it is not asked for it for a while')
  else log.info(what, 'a provider answers again')
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
