import type { Dispatcher } from 'undici'
import type { ResponseHeaders } from './provider.ts'
import { lateHead, silence, totalElapsed, transportFailure } from './provider-errors.ts'

/** Takes an answer as it arrives. After `end` or `fail` nothing more comes; one of them always does. */
export interface Receiver extends BodyReceiver {
  head(status: number, headers: ResponseHeaders): void
}

/** Takes what follows a head. */
export interface BodyReceiver {
  data(chunk: Buffer): void
  end(): void
  /** The AppError of a broken or late answer, or the reason of the abort or cancellation. */
  fail(error: unknown): void
}

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Flat name and value pairs. */
  readonly headers: string[]
  readonly body: Buffer | string | null
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly deadlines: { readonly headMs: number | null; readonly idleMs: number; readonly totalMs: number }
}

/** How long an answer that is complete for its reader may take to end before its connection is given up. */
const settleMs = 1_000
/** How long a refusal may be silent: all that is to be learnt of its body is why. */
const refusalIdleMs = 5_000

/**
 * One request and its answer on a pool's connection, with our own deadlines. An abort of the signal, a deadline and
 * `cancel` destroy the connection at once, and that is how the provider learns that nobody waits any more.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest
  #receiver: Receiver | null = null
  #controller: Dispatcher.DispatchController | null = null
  #phase: NodeJS.Timeout | null = null
  #total: NodeJS.Timeout | null = null
  #hasBegun = false
  #paused = false
  #over = false

  constructor(request: ExchangeRequest) {
    this.#request = request
  }

  start(dispatcher: Dispatcher, receiver: Receiver): void {
    const { method, path, headers, body, signal, deadlines } = this.#request
    this.#receiver = receiver
    if (signal.aborted) {
      this.cancel(signal.reason)
      return
    }
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#total = setTimeout(this.#onTotal, deadlines.totalMs)
    if (deadlines.headMs !== null) this.#phase = setTimeout(this.#onLateHead, deadlines.headMs)
    dispatcher.dispatch({ method, path, headers, body }, this)
  }

  /** Stops reading from the connection. Silence counts only while not paused. */
  pause(): void {
    this.#paused = true
    this.#controller?.pause()
  }

  resume(): void {
    if (!this.#paused || this.#over) return
    this.#paused = false
    this.#phase?.refresh()
    this.#controller?.resume()
  }

  /** Destroys the connection and fails the receiver with `reason`. Harmless after the end. */
  cancel(reason: unknown): void {
    if (this.#over) return
    this.#finish()
    this.#abandon()
    this.#receiver?.fail(reason)
  }

  /** Says that the answer is complete for its reader: whatever else comes is dropped, the connection kept if it soon ends. */
  settle(): void {
    if (this.#over) return
    this.#finish()
    this.#phase = setTimeout(() => this.#abandon(), settleMs)
    this.#phase.unref()
    if (this.#paused) this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) this.#abandon()
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (this.#over || status < 200) return
    this.#hasBegun = true
    if (this.#phase) clearTimeout(this.#phase)
    const { idleMs } = this.#request.deadlines
    this.#phase = setTimeout(this.#onSilence, status < 300 ? idleMs : Math.min(idleMs, refusalIdleMs))
    this.#receiver?.head(status, headers)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    this.#phase?.refresh()
    this.#receiver?.data(chunk)
  }

  onResponseEnd(): void {
    if (this.#phase) clearTimeout(this.#phase)
    if (this.#over) return
    this.#finish()
    this.#receiver?.end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#phase) clearTimeout(this.#phase)
    if (this.#over) return
    this.#finish()
    this.#receiver?.fail(transportFailure(error, this.#hasBegun))
  }

  readonly #onAbort = () => this.cancel(this.#request.signal.reason)
  readonly #onLateHead = () => this.cancel(lateHead())
  readonly #onTotal = () => this.cancel(totalElapsed(this.#hasBegun))

  readonly #onSilence = () => {
    if (this.#paused) this.#phase?.refresh()
    else this.cancel(silence())
  }

  #finish(): void {
    this.#over = true
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    if (this.#phase) clearTimeout(this.#phase)
    if (this.#total) clearTimeout(this.#total)
  }

  /** Before the request was written there is no controller: `onRequestStart` then stops it. */
  #abandon(): void {
    this.#controller?.abort(new Error('The exchange was given up.'))
  }
}
