import { AppError } from '../../../platform/errors.ts'
import { rateLimitMessage } from './provider-errors.ts'
import { ProviderFailure } from './provider-failure.ts'

/** When a circuit opens, and for how long. */
export interface CircuitOptions {
  /** Faults without a good answer in between that open it; 0: it never opens. */
  readonly faults: number
  /** How long it stays open the first time, in milliseconds. Each further time is twice as long, up to `longestOpenMs`. */
  readonly openMs: number
  /** Milliseconds on a clock that never goes back. Default: the process's. */
  readonly now?: () => number
  /** Told when it opens, and when it has closed again. */
  onChange?(isOpen: boolean): void
}

/** Whether an endpoint may be asked for a model now, and if not, why and for how many milliseconds more. */
export type CircuitState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'open'; readonly waitMs: number }
  | { readonly kind: 'resting'; readonly waitMs: number; readonly isRateLimit: boolean }

/** One call that a circuit let through. */
export interface CircuitCall {
  /** Says that an answer has begun: whoever proves that an endpoint is back does not keep the others waiting for its end. */
  begun(): void
  /** Says how it ended: null for well, a failure, or anything else where the client left. */
  ended(outcome: unknown): void
}

const longestOpenMs = 60_000
/** A longer `Retry-After` is not believed: a wrong clock must not shut an endpoint for days. */
const longestRestMs = 3_600_000

const ready: CircuitState = { kind: 'ready' }

/**
 * What is known of one endpoint's health with one model. After some faults it is not asked for a while; then one call tries
 * it. The begin of an answer lets the others in again, and only a good end makes all well: until then the next fault
 * opens it again. Apart from that it rests as long as the endpoint itself asked for (`Retry-After`).
 */
export class Circuit {
  readonly #options: CircuitOptions
  readonly #now: () => number
  #faults = 0
  #isOpen = false
  #openUntil = 0
  /** In a row, without a good answer since. */
  #openings = 0
  /** Changes whenever it opens. */
  #era = 0
  #restUntil = 0
  #restIsRateLimit = false

  constructor(options: CircuitOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Whether it has failed so often, and has not answered since. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  get state(): CircuitState {
    if (!this.#isOpen && this.#restUntil === 0) return ready
    const now = this.#now()
    if (this.#isOpen && now < this.#openUntil) return { kind: 'open', waitMs: this.#openUntil - now }
    if (now < this.#restUntil)
      return { kind: 'resting', waitMs: this.#restUntil - now, isRateLimit: this.#restIsRateLimit }
    return ready
  }

  /** Lets a call through, null where the state is not `ready`. How it ended must be told. */
  begin(): CircuitCall | null {
    if (this.state.kind !== 'ready') return null
    const isProbe = this.#isOpen
    // The others wait for what it finds out, but not for an answer that takes minutes.
    if (isProbe) this.#openUntil = this.#now() + this.#options.openMs
    return this.#call(isProbe)
  }

  #call(isProbe: boolean): CircuitCall {
    const era = this.#era
    let isTrying = isProbe
    const prove = () => {
      if (isTrying && this.#isOpen && era === this.#era) this.#close()
      isTrying = false
    }
    return {
      begun: prove,
      ended: (outcome) => {
        if (outcome instanceof ProviderFailure && outcome.restMs) this.#rest(outcome)
        // What began before it opened says nothing of how the endpoint is now.
        if (era !== this.#era) return
        if (outcome instanceof ProviderFailure && outcome.isFault) return this.#fault(isTrying)
        if (outcome === null || outcome instanceof AppError) prove()
        else if (isTrying) this.#openUntil = 0
        if (outcome === null) this.#recover()
      },
    }
  }

  #fault(isTrying: boolean): void {
    const { faults, openMs, onChange } = this.#options
    this.#faults += 1
    if (faults === 0 || (this.#faults < faults && !isTrying)) return
    const wasOpen = this.#isOpen
    this.#isOpen = true
    this.#openUntil = this.#now() + Math.min(openMs * 2 ** this.#openings, longestOpenMs)
    this.#openings += 1
    this.#era += 1
    if (!wasOpen) onChange?.(true)
  }

  #close(): void {
    this.#isOpen = false
    this.#faults = this.#options.faults - 1
    this.#options.onChange?.(false)
  }

  #recover(): void {
    this.#faults = 0
    this.#openings = 0
  }

  #rest({ restMs, code }: ProviderFailure): void {
    this.#restUntil = Math.max(this.#restUntil, this.#now() + Math.min(restMs ?? 0, longestRestMs))
    this.#restIsRateLimit = code === 'provider_rate_limited'
  }
}

/**
 * What is told where nobody may be asked, with the shortest of the waits: a rate limit where that is all that keeps one of them
 * from being asked, else that the service is not available (contract 2.1).
 */
export function notNow(states: readonly CircuitState[]): AppError {
  const waits = states.flatMap((state) => (state.kind === 'ready' ? [] : [state.waitMs]))
  const wait = waits.length > 0 ? { retryAfter: Math.max(1, Math.ceil(Math.min(...waits) / 1000)) } : {}
  if (states.some((state) => state.kind === 'resting' && state.isRateLimit))
    return new AppError('provider_rate_limited', rateLimitMessage, wait)
  return new AppError('service_unavailable', 'No provider can be asked for this at the moment.', wait)
}
