import { setTimeout as sleep } from 'node:timers/promises'
import { notNow } from './circuit.ts'
import type { Route } from './guarded-endpoint.ts'
import { type NextAsked, nextAsked } from './provider-failure.ts'

/** How often and how long is asked on behalf of any call. */
export interface AskingBounds {
  /** How often a model is asked again after its first failure. Each of its endpoints is asked once, however many there are. */
  readonly retries: number
  /** Milliseconds from the beginning of a call to the end of its answer. */
  readonly totalMs: number
}

/** How long is gone on asking for one answer. */
export interface AskingTerms<Way> extends Pick<AskingBounds, 'retries'> {
  /** `performance.now()` after which nobody else is asked. */
  readonly until: number
  readonly signal: AbortSignal
  /** Told of each failure after which somebody may be asked again: where one answers then, nobody else hears of it. */
  onFailure?(way: Way, failure: unknown): void
}

/** Waits for endpoints that asked for them (`Retry-After`), together, in milliseconds: longer ones are the caller's to wait. */
const patienceMs = 2_000
const firstPauseMs = 100
const longestPauseMs = 1_000

/**
 * Asks for an answer until one comes: the endpoints of the first model in turn, then again after a pause, and then those of
 * the models that may stand in for it. Nobody else is asked once an answer has begun, nor where the request is at fault.
 * Where none answers, the first failure is told: the others were only asked in its place.
 * @param models the ways to each model, in the order in which they are tried
 * @throws AppError, or the signal's reason
 */
export async function firstAnswer<Way extends { readonly route: Route }, Answer>(
  models: Iterable<readonly Way[]>,
  ask: (way: Way) => Promise<Answer>,
  terms: AskingTerms<Way>,
): Promise<Answer> {
  let failure: unknown
  for (const ways of models) {
    if (failure && performance.now() >= terms.until) break
    try {
      return await new ModelAsking(ways, ask, terms).answer()
    } catch (error) {
      if (terms.signal.aborted) throw error
      failure ??= error
      if (nextAsked(error) === 'nobody') break
    }
  }
  throw failure ?? notNow([])
}

/** The asking of one model: its endpoints in rounds, as long as asking makes sense. */
class ModelAsking<Way extends { readonly route: Route }, Answer> {
  readonly #ways: readonly Way[]
  readonly #ask: (way: Way) => Promise<Answer>
  readonly #terms: AskingTerms<Way>
  #asksLeft: number
  #patienceMs = patienceMs
  #failure: unknown

  constructor(ways: readonly Way[], ask: (way: Way) => Promise<Answer>, terms: AskingTerms<Way>) {
    this.#ways = ways
    this.#ask = ask
    this.#terms = terms
    this.#asksLeft = Math.max(ways.length, 1 + terms.retries)
  }

  async answer(): Promise<Answer> {
    let worthAsking = inOrderOfRoom(this.#ways)
    for (let round = 1; worthAsking.length > 0; round += 1) {
      const again: Way[] = []
      for (const way of worthAsking) {
        const { kind } = way.route.state
        if (kind === 'resting') again.push(way)
        if (kind !== 'ready' || this.#isOver) continue
        this.#asksLeft -= 1
        try {
          return await this.#ask(way)
        } catch (error) {
          if (this.#nextAfter(way, error) === 'same') again.push(way)
        }
      }
      worthAsking = this.#isOver ? [] : again.filter(({ route }) => restOf(route) <= this.#patienceMs)
      if (worthAsking.length > 0) await this.#pause(round, worthAsking)
    }
    throw this.#failure ?? notNow(this.#ways.map(({ route }) => route.state))
  }

  get #isOver(): boolean {
    return this.#asksLeft === 0 || performance.now() >= this.#terms.until
  }

  /** Keeps the first failure. @throws the failure where nobody else may be asked after it */
  #nextAfter(way: Way, failure: unknown): NextAsked {
    const next = nextAsked(failure)
    if (next === 'nobody') throw failure
    this.#terms.onFailure?.(way, failure)
    this.#failure ??= failure
    return next
  }

  /** Until the first of them may be asked, and a little more: others wait for it, too. */
  #pause(round: number, ways: readonly Way[]): Promise<void> {
    const rest = Math.ceil(Math.min(...ways.map(({ route }) => restOf(route))))
    this.#patienceMs -= rest
    return sleep(rest + pauseMs(round), undefined, { signal: this.#terms.signal })
  }
}

/** Those that would answer at once first, then those with the shortest queue; equals as they came. */
function inOrderOfRoom<Way extends { readonly route: Route }>(ways: readonly Way[]): readonly Way[] {
  if (ways.length < 2) return ways
  return ways.toSorted((one, other) => one.route.callsAhead - other.route.callsAhead)
}

/** Milliseconds for which an endpoint asked to be left alone. */
function restOf({ state }: Route): number {
  return state.kind === 'resting' ? state.waitMs : 0
}

/** Twice as long after each round, and never the same for all who wait. */
function pauseMs(round: number): number {
  return Math.min(firstPauseMs * 2 ** (round - 1), longestPauseMs) * (0.5 + Math.random() / 2)
}
