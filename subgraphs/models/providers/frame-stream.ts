import { AppError } from '../../../platform/errors.ts'
import { SseSplitter } from '../../../platform/sse.ts'
import type { BodyReceiver, Exchange } from './exchange.ts'
import { parseObject } from './parse-object.ts'
import type { ProviderFrames, ProviderStream, ResponseHeaders, StreamReport } from './provider.ts'
import { carriesError, errorInAnswer, malformedAnswer } from './provider-errors.ts'
import { ProviderFailure } from './provider-failure.ts'
import type { SecretsOfEndpoint } from './redact.ts'
import type { StreamRecord } from './stream-record.ts'

/** Above this many bytes waiting for the reader the provider is not read any further. */
const maxQueuedBytes = 64 * 1024

const done = Buffer.from('[DONE]')
const errorNeedle = Buffer.from('"error"')
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20

type Result = IteratorResult<ProviderFrames, undefined>

/**
 * The frames of one answer, as a queue with one waiter: the connection writes, the reader drains. A hand-written
 * iterator because a generator's `return` would wait for the provider's next chunk.
 */
export class FrameStream implements ProviderStream, BodyReceiver {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly #exchange: Exchange
  readonly #secrets: SecretsOfEndpoint
  readonly #record: StreamRecord
  readonly #splitter = new SseSplitter((data, event) => this.#take(data, event))
  #queue: Buffer[] = []
  #queuedBytes = 0
  #waiter: PromiseWithResolvers<Result> | null = null
  #ended = false
  #error: unknown
  #outcome: unknown
  #onOver: ((outcome: unknown) => void) | null = null

  constructor(
    exchange: Exchange,
    head: { status: number; headers: ResponseHeaders },
    record: StreamRecord,
    secrets: SecretsOfEndpoint,
  ) {
    this.#exchange = exchange
    this.status = head.status
    this.headers = head.headers
    this.#record = record
    this.#secrets = secrets
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    if (this.#waiter) return Promise.reject(new Error('A stream takes one next() at a time.'))
    if (this.#queue.length > 0) return Promise.resolve(this.#drain())
    if (this.#ended) return this.#lastResult()
    this.#waiter = Promise.withResolvers()
    return this.#waiter.promise
  }

  return(): Promise<Result> {
    this.cancel()
    this.#queue = []
    this.#error = undefined
    return Promise.resolve({ done: true, value: undefined })
  }

  cancel(): void {
    if (this.#ended) return
    this.#queue = []
    this.#finish(undefined, 'left')
    this.#exchange.cancel(undefined)
    this.#wake()
  }

  whenOver(listener: (outcome: unknown) => void): void {
    if (this.#ended) listener(this.#outcome)
    else this.#onOver = listener
  }

  report(): StreamReport {
    return this.#record.report()
  }

  data(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk)
    } catch (cause) {
      this.#breakOff(
        new ProviderFailure('provider_error', 'The model provider sent a frame that is too long.', {
          next: 'nobody',
          isFault: true,
          cause,
        }),
      )
    }
    this.#wake()
    if (this.#queuedBytes > maxQueuedBytes && !this.#ended) this.#exchange.pause()
  }

  end(): void {
    const rest = this.#splitter.end()
    if (rest && (isDone(rest) || parseObject(rest))) this.#take(rest, null)
    if (!this.#ended) {
      this.#finish(
        this.#record.finished
          ? undefined
          : malformedAnswer('ended its stream before the answer was complete'),
      )
    }
    this.#wake()
  }

  /** An answer that had finished is complete even if its connection broke before `[DONE]`. */
  fail(error: unknown): void {
    if (this.#ended) return
    this.#finish(error instanceof AppError && this.#record.finished ? undefined : error)
    this.#wake()
  }

  #take(data: Buffer, event: string | null): void {
    if (this.#ended) return
    if (isDone(data)) {
      this.#finish(undefined)
      this.#exchange.settle()
      return
    }
    const failure = this.#failureIn(data, event)
    if (failure) {
      this.#breakOff(failure)
      return
    }
    this.#record.add(data)
    this.#queue.push(data)
    this.#queuedBytes += data.length
  }

  /** Parses only frames that may report an error. */
  #failureIn(data: Buffer, event: string | null): AppError | null {
    if (!looksLikeObject(data)) return malformedAnswer('sent a frame that is not JSON')
    if (event !== 'error' && !data.includes(errorNeedle)) return null
    const body = parseObject(data)
    if (!body) return malformedAnswer('sent a frame that is not JSON')
    return event === 'error' || carriesError(body) ? errorInAnswer(body, this.headers, this.#secrets) : null
  }

  #breakOff(error: AppError): void {
    this.#finish(error)
    this.#exchange.cancel(error)
  }

  #finish(error: unknown, outcome: unknown = error ?? null): void {
    this.#ended = true
    this.#error = error
    this.#outcome = outcome
    this.#record.end()
    this.#onOver?.(outcome)
  }

  #wake(): void {
    const waiter = this.#waiter
    if (!waiter) return
    if (this.#queue.length === 0 && !this.#ended) return
    this.#waiter = null
    waiter.resolve(this.#queue.length > 0 ? this.#drain() : this.#lastResult())
  }

  #drain(): Result {
    const frames = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#exchange.resume()
    return { done: false, value: { frames } }
  }

  /** The end: an error is told once, as by any iterator. */
  #lastResult(): Promise<Result> {
    const error = this.#error
    this.#error = undefined
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
  }
}

function isDone(data: Buffer): boolean {
  return data[0] === 0x5b && data.length === done.length && data.equals(done)
}

/** A cheap look at both ends: frames are passed on unparsed. */
function looksLikeObject(data: Buffer): boolean {
  let last = data.length - 1
  while (data[last] === SPACE) last--
  return data[0] === OPEN_BRACE && data[last] === CLOSE_BRACE
}
