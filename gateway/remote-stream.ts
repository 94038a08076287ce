import type { ExecutionResult } from 'graphql'
import { SseSplitter } from '../platform/sse.ts'

/**
 * The results of a graphql-sse response, read no further ahead than the reader has asked: what waits stays in the
 * socket, so a slow client slows the subgraph, and the subgraph its provider. `return()` cuts the link at once. The end
 * of the response is the end of the stream: one that breaks off is missing its last HTTP chunk, and rejects.
 */
export class RemoteStream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #splitter: SseSplitter
  readonly #waiting: Buffer[] = []

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader()
    this.#splitter = new SseSplitter((data, event) => {
      if (event === 'next') this.#waiting.push(data)
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @throws what the connection failed with */
  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    while (true) {
      const frame = this.#waiting.shift()
      if (frame) return { done: false, value: JSON.parse(frame.toString()) }
      const { done, value } = await this.#reader.read()
      if (done) return { done: true, value: undefined }
      this.#splitter.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#waiting.length = 0
    // It rejects when the request's signal has cut the link already: then there is nothing left to cut.
    await this.#reader.cancel().catch(() => undefined)
    return { done: true, value: undefined }
  }
}
