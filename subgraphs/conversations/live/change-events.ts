import { CoalescedChanges } from './coalesced-changes.ts'
import type { ItemChange } from './conversation-change.ts'

/** What a reader who is behind may have waiting. */
const mostWaiting = 1_000

/**
 * The changes that one subscription is told, as fast as it reads. What waits is merged, and its amount is bounded. Ends
 * when told to, when its reader leaves, and when the signal aborts; what waited then is not told any more.
 */
export class ChangeEvents<Event> implements AsyncIterableIterator<Event, undefined> {
  readonly #waiting = new CoalescedChanges(mostWaiting)
  readonly #toEvent: (change: ItemChange) => Event
  readonly #signal: AbortSignal
  readonly #onEnd: () => void
  readonly #abort = () => this.end()
  #reader: ((step: IteratorResult<Event, undefined>) => void) | undefined
  #ended = false

  /** @param onEnd called once */
  constructor(toEvent: (change: ItemChange) => Event, signal: AbortSignal, onEnd: () => void) {
    this.#toEvent = toEvent
    this.#signal = signal
    this.#onEnd = onEnd
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  push(change: ItemChange): void {
    if (this.#ended) return
    this.#waiting.add(change)
    if (!this.#reader) return
    const next = this.#waiting.take()
    if (next) this.#answer({ done: false, value: this.#toEvent(next) })
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#ended) return { done: true, value: undefined }
    const change = this.#waiting.take()
    if (change) return { done: false, value: this.#toEvent(change) }
    return new Promise((resolve) => {
      this.#reader = resolve
    })
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.end()
    return { done: true, value: undefined }
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#signal.removeEventListener('abort', this.#abort)
    this.#answer({ done: true, value: undefined })
    this.#onEnd()
  }

  #answer(step: IteratorResult<Event, undefined>): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.(step)
  }
}
