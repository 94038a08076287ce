import { parseObject } from '../providers/index.ts'
import type { CompletionStream } from './completion-stream.ts'
import { type PresentedChunk, presentChunk } from './present.ts'

type Event<Field extends string> = Record<Field, PresentedChunk>

/** One event of a subscription field for each chunk, however many have queued: what GraphQL clients subscribe to. */
export class ChunkEvents<Field extends string> implements AsyncIterableIterator<Event<Field>, undefined> {
  readonly #field: Field
  readonly #stream: CompletionStream
  #waiting: Buffer[] = []

  constructor(field: Field, stream: CompletionStream) {
    this.#field = field
    this.#stream = stream
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Event<Field>, undefined>> {
    while (true) {
      const frame = this.#waiting.shift()
      const chunk = frame ? parseObject(frame) : null
      if (chunk) {
        const presented = presentChunk(chunk, this.#stream.conversation)
        return { done: false, value: { [this.#field]: presented } as Event<Field> }
      }
      if (frame) continue
      const step = await this.#stream.next()
      if (step.done) return step
      this.#waiting = [...step.value]
    }
  }

  async return(): Promise<IteratorResult<Event<Field>, undefined>> {
    this.#waiting = []
    return (await this.#stream.return()) as IteratorReturnResult<undefined>
  }
}
