import { Circuit, type CircuitCall, type CircuitOptions, type CircuitState, notNow } from './circuit.ts'
import { FairQueue, type QueueCaller, type QueueLimits } from './fair-queue.ts'
import type { Provider, ProviderStream } from './provider.ts'

/** What an endpoint is guarded with. */
export interface EndpointGuards {
  readonly queue: QueueLimits
  readonly circuit: Omit<CircuitOptions, 'onChange'>
  /** Told when the endpoint is given up for a model, and when it answers again. */
  onCircuit?(modelId: string, isOpen: boolean): void
}

/** One address of a provider with its queue, and with a circuit for each model that was asked of it. */
export class GuardedEndpoint {
  readonly client: Provider
  readonly queue: FairQueue
  readonly #guards: EndpointGuards
  readonly #routes = new Map<string, Route>()

  constructor(client: Provider, guards: EndpointGuards) {
    this.client = client
    this.queue = new FairQueue(guards.queue)
    this.#guards = guards
  }

  /** Whether it answers for every model that was asked of it, or failed too seldom to be given up. */
  get isHealthy(): boolean {
    return [...this.#routes.values()].every(({ isGivenUp }) => !isGivenUp)
  }

  /** The way to one model, by the provider's own id. */
  route(modelId: string): Route {
    const known = this.#routes.get(modelId)
    if (known) return known
    const { circuit, onCircuit } = this.#guards
    const onChange = (isOpen: boolean) => onCircuit?.(modelId, isOpen)
    const route = new Route(this, new Circuit({ ...circuit, onChange }))
    this.#routes.set(modelId, route)
    return route
  }
}

/** The way to one model at one endpoint: every call goes through the endpoint's queue and through the model's circuit. */
export class Route {
  readonly #endpoint: GuardedEndpoint
  readonly #circuit: Circuit

  constructor(endpoint: GuardedEndpoint, circuit: Circuit) {
    this.#endpoint = endpoint
    this.#circuit = circuit
  }

  get state(): CircuitState {
    return this.#circuit.state
  }

  /** Whether it keeps failing. */
  get isGivenUp(): boolean {
    return this.#circuit.isOpen
  }

  /** How many would be served before a call that comes now; 0 where it is served at once. */
  get callsAhead(): number {
    const { queue } = this.#endpoint
    return queue.hasRoom ? 0 : queue.length + 1
  }

  /** Makes a call of which the answer comes whole. @throws AppError, also `service_unavailable` where it may not be made */
  async whole<Answer>(who: QueueCaller, call: (client: Provider) => Promise<Answer>): Promise<Answer> {
    const passed = await this.#enter(who)
    try {
      const answer = await call(this.#endpoint.client)
      passed.ended(null)
      return answer
    } catch (error) {
      passed.ended(error)
      throw error
    } finally {
      this.#endpoint.queue.leave()
    }
  }

  /** Makes a call of which the answer comes in frames: its place is taken until they end. @throws AppError as `whole` */
  async streamed(
    who: QueueCaller,
    call: (client: Provider) => Promise<ProviderStream>,
  ): Promise<ProviderStream> {
    const passed = await this.#enter(who)
    const end = (outcome: unknown) => {
      passed.ended(outcome)
      this.#endpoint.queue.leave()
    }
    try {
      const stream = await call(this.#endpoint.client)
      passed.begun()
      stream.whenOver(end)
      return stream
    } catch (error) {
      end(error)
      throw error
    }
  }

  async #enter(who: QueueCaller): Promise<CircuitCall> {
    const { queue } = this.#endpoint
    if (!queue.tryEnter()) await queue.enter(who)
    const passed = this.#circuit.begin()
    if (passed) return passed
    queue.leave()
    throw notNow([this.#circuit.state])
  }
}
