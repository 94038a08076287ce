import type { BodyReceiver, Exchange, Receiver } from './exchange.ts'
import { FrameStream } from './frame-stream.ts'
import { parseObject } from './parse-object.ts'
import type { ProviderStream, ResponseHeaders } from './provider.ts'
import { carriesError, errorInAnswer, malformedAnswer, providerRefusal } from './provider-errors.ts'
import type { SecretsOfEndpoint } from './redact.ts'
import type { StreamRecord } from './stream-record.ts'
import { WholeBody, type WholeResponse } from './whole-body.ts'

/**
 * Waits for the head of a streamed answer and hands the body to a FrameStream, or, where the provider refuses, reads
 * the body whole and rejects with what it means. The choice is made inside the head's own callback: the first chunk
 * may follow in the same turn of the event loop.
 */
export class StreamOpening implements Receiver {
  readonly #exchange: Exchange
  readonly #record: StreamRecord
  readonly #secrets: SecretsOfEndpoint
  readonly #opened = Promise.withResolvers<ProviderStream>()
  #body: BodyReceiver | null = null

  constructor(exchange: Exchange, record: StreamRecord, secrets: SecretsOfEndpoint) {
    this.#exchange = exchange
    this.#record = record
    this.#secrets = secrets
  }

  get opened(): Promise<ProviderStream> {
    return this.#opened.promise
  }

  head(status: number, headers: ResponseHeaders): void {
    if (status >= 200 && status < 300 && !isDocument(headers)) {
      const stream = new FrameStream(this.#exchange, { status, headers }, this.#record, this.#secrets)
      this.#body = stream
      this.#opened.resolve(stream)
      return
    }
    const refusal = new WholeBody(this.#exchange)
    refusal.head(status, headers)
    this.#body = refusal
    refusal.response.then((response) => this.#refuse(response)).catch(this.#opened.reject)
  }

  data(chunk: Buffer): void {
    this.#body?.data(chunk)
  }

  end(): void {
    this.#body?.end()
  }

  fail(error: unknown): void {
    if (this.#body) this.#body.fail(error)
    else this.#opened.reject(error)
  }

  #refuse({ status, headers, body }: WholeResponse): never {
    const json = parseObject(body)
    if (status < 200 || status >= 300) throw providerRefusal(status, headers, json, this.#secrets)
    if (json && carriesError(json)) throw errorInAnswer(json, headers, this.#secrets)
    throw malformedAnswer('did not answer with a stream')
  }
}

/** Whether the answer is certainly no event stream. Some providers name no type, or a wrong one such as text/plain. */
function isDocument(headers: ResponseHeaders): boolean {
  return /^(application\/json|text\/html)/i.test(String(headers['content-type'] ?? ''))
}
