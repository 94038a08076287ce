import { parseObject } from '../providers/index.ts'
import type { CompletionStream } from './completion-stream.ts'
import { type PresentedChunk, presentChunk } from './present.ts'

/** One event for each chunk, however many have queued: what GraphQL clients subscribe to. */
export class ChunkEvents implements AsyncIterableIterator<{ chatCompletion: PresentedChunk }, undefined> {
  readonly #stream: CompletionStream
  #waiting: Buffer[] = []

  constructor(stream: CompletionStream) {
    this.#stream = stream
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<{ chatCompletion: PresentedChunk }, undefined>> {
    while (true) {
      const frame = this.#waiting.shift()
      const chunk = frame ? parseObject(frame) : null
      if (chunk)
        return { done: false, value: { chatCompletion: presentChunk(chunk, this.#stream.conversation) } }
      if (frame) continue
      const step = await this.#stream.next()
      if (step.done) return step
      this.#waiting = [...step.value]
    }
  }

  async return(): Promise<IteratorResult<{ chatCompletion: PresentedChunk }, undefined>> {
    this.#waiting = []
    return (await this.#stream.return()) as IteratorReturnResult<undefined>
  }
}
