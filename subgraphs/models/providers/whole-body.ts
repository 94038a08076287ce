import { AppError } from '../../../platform/errors.ts'
import type { Exchange, Receiver } from './exchange.ts'
import type { ResponseHeaders } from './provider.ts'
import { malformedAnswer } from './provider-errors.ts'

/** The longest body that is read in one piece, in bytes. */
const maxBodyBytes = 64 * 1024 * 1024

export interface WholeResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: Buffer
}

/** Collects an answer, whatever its status. */
export class WholeBody implements Receiver {
  readonly #exchange: Exchange
  readonly #response = Promise.withResolvers<WholeResponse>()
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #status = 0
  #headers: ResponseHeaders = {}

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  get response(): Promise<WholeResponse> {
    return this.#response.promise
  }

  head(status: number, headers: ResponseHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > maxBodyBytes) this.#exchange.cancel(malformedAnswer('sent an answer that is too long'))
  }

  end(): void {
    this.#response.resolve(this.#received())
  }

  /** A refusal is one by its status, however its body ends. */
  fail(error: unknown): void {
    if (this.#status >= 300 && error instanceof AppError) this.#response.resolve(this.#received())
    else this.#response.reject(error)
  }

  #received(): WholeResponse {
    const [only] = this.#chunks
    const body = only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks, this.#bytes)
    return { status: this.#status, headers: this.#headers, body }
  }
}
