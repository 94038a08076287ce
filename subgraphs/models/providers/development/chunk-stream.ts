import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject, ProviderFrames, ProviderStream, StreamReport } from '../provider.ts'
import { StreamRecord } from '../stream-record.ts'

/** Without pacing, the event loop gets a turn after this many chunks, so that a client can leave in between. */
const chunksPerTurn = 16

type Result = IteratorResult<ProviderFrames, undefined>

/** A stream that is made while it is read, one frame per `next()`. */
export class ChunkStream implements ProviderStream {
  readonly status = 200
  readonly headers = { 'content-type': 'text/event-stream' }
  readonly #chunks: Iterator<JsonObject>
  readonly #signal: AbortSignal
  readonly #cancelled = new AbortController()
  readonly #either: AbortSignal
  readonly #delayMs: number
  readonly #record = new StreamRecord()
  #count = 0
  #ended = false
  #outcome: unknown = null
  #onOver: ((outcome: unknown) => void) | null = null

  constructor(chunks: Iterable<JsonObject>, signal: AbortSignal, delayMs: number) {
    this.#chunks = chunks[Symbol.iterator]()
    this.#signal = signal
    this.#either = AbortSignal.any([signal, this.#cancelled.signal])
    this.#delayMs = delayMs
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Result> {
    if (this.#ended) return { done: true, value: undefined }
    await this.#pace()
    if (this.#signal.aborted) {
      this.#end('left')
      throw this.#signal.reason
    }
    const chunk = this.#chunks.next()
    if (chunk.done || this.#cancelled.signal.aborted) return this.#end()
    const frame = Buffer.from(JSON.stringify(chunk.value))
    this.#record.add(frame)
    return { done: false, value: { frames: [frame] } }
  }

  return(): Promise<Result> {
    this.cancel()
    return Promise.resolve({ done: true, value: undefined })
  }

  cancel(): void {
    this.#cancelled.abort()
    this.#end('left')
  }

  whenOver(listener: (outcome: unknown) => void): void {
    if (this.#ended) listener(this.#outcome)
    else this.#onOver = listener
  }

  report(): StreamReport {
    return this.#record.report()
  }

  #end(outcome: unknown = null): Result {
    if (!this.#ended) {
      this.#ended = true
      this.#outcome = outcome
      this.#record.end()
      this.#onOver?.(outcome)
    }
    return { done: true, value: undefined }
  }

  async #pace(): Promise<void> {
    this.#count++
    if (this.#delayMs > 0 && this.#count > 1) {
      // The sleep only rejects by the signals, which next() reads right after it.
      await sleep(this.#delayMs, undefined, { signal: this.#either }).catch(() => undefined)
    } else if (this.#count % chunksPerTurn === 0) {
      await nextTurn()
    }
  }
}
