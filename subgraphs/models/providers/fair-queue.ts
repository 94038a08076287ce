import { AppError } from '../../../platform/errors.ts'

/** How many calls an endpoint takes at once, and how many may wait for it, for how long. */
export interface QueueLimits {
  /** Calls at once; 0: no bound. */
  readonly concurrency: number
  /** Calls that wait. */
  readonly length: number
  /** Milliseconds that one waits at most. */
  readonly waitMs: number
}

/** Whose call it is, and until when it is of interest. */
export interface QueueCaller {
  /** Those of one caller queue behind each other; callers take turns. */
  readonly caller: string
  readonly signal: AbortSignal
}

interface Waiting {
  readonly enter: () => void
  readonly refuse: (reason: unknown) => void
}

/** Seconds after which a refused caller may try again. */
const retryAfter = 1

/**
 * The way into an endpoint that takes so many calls at once. Where all places are taken callers get the free ones in turn, each
 * in the order of its own calls, so that one who sends a hundred does not keep out one who sends one. Where the queue is
 * full, the last call of whoever has most gives way to one who has less.
 */
export class FairQueue {
  #limits: QueueLimits
  #taken = 0
  #waiting = 0
  /** The calls of each caller; whose line is first in the map is next. */
  readonly #lines = new Map<string, Waiting[]>()

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  /** Whether a call could enter at once. */
  get hasRoom(): boolean {
    return this.#limits.concurrency === 0 || this.#taken < this.#limits.concurrency
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting
  }

  /** Those who are in stay, also where there are fewer places now. */
  setConcurrency(concurrency: number): void {
    if (concurrency === this.#limits.concurrency) return
    this.#limits = { ...this.#limits, concurrency }
    while (this.hasRoom && this.#waiting > 0) this.#admitNext()
  }

  /** Takes a place where one is free. Each place that was taken must be given back by `leave`. */
  tryEnter(): boolean {
    if (!this.hasRoom) return false
    this.#taken += 1
    return true
  }

  /**
   * Waits for a place.
   * @throws AppError `service_unavailable` where too many wait, or for too long; the signal's reason after an abort
   */
  enter(who: QueueCaller): Promise<void> {
    if (who.signal.aborted) return Promise.reject(who.signal.reason)
    if (this.tryEnter()) return Promise.resolve()
    if (this.#waiting >= this.#limits.length && !this.#makeRoomFor(who.caller))
      return Promise.reject(saturated())
    return this.#wait(who)
  }

  leave(): void {
    this.#taken -= 1
    if (this.hasRoom && this.#waiting > 0) this.#admitNext()
  }

  #wait({ caller, signal }: QueueCaller): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const settle = () => {
      clearTimeout(late)
      signal.removeEventListener('abort', onAbort)
      this.#remove(caller, waiting)
    }
    const waiting: Waiting = {
      enter: () => {
        settle()
        this.#taken += 1
        resolve()
      },
      refuse: (reason) => {
        settle()
        reject(reason)
      },
    }
    const onAbort = () => waiting.refuse(signal.reason)
    const late = setTimeout(() => waiting.refuse(saturated()), this.#limits.waitMs)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#line(caller).push(waiting)
    this.#waiting += 1
    return promise
  }

  #line(caller: string): Waiting[] {
    const line = this.#lines.get(caller) ?? []
    this.#lines.set(caller, line)
    return line
  }

  #remove(caller: string, waiting: Waiting): void {
    const line = this.#lines.get(caller) ?? []
    line.splice(line.indexOf(waiting), 1)
    if (line.length === 0) this.#lines.delete(caller)
    this.#waiting -= 1
  }

  /** The first call of the first line; who has more is last in turn then. */
  #admitNext(): void {
    const [next] = this.#lines
    if (!next) return
    const [caller, line] = next
    line[0]?.enter()
    if (!this.#lines.delete(caller)) return
    this.#lines.set(caller, line)
  }

  #makeRoomFor(caller: string): boolean {
    const own = this.#lines.get(caller)?.length ?? 0
    const longest = [...this.#lines.values()].reduce(
      (most, line) => (line.length > most.length ? line : most),
      [] as Waiting[],
    )
    if (longest.length <= own + 1) return false
    longest.at(-1)?.refuse(saturated())
    return true
  }
}

function saturated(): AppError {
  return new AppError('service_unavailable', 'The model is busy: too many requests wait for it.', {
    retryAfter,
  })
}
