import { RawFrames } from '../../../platform/openai/raw-frames.ts'
import type { CompletionStream } from './completion-stream.ts'

/** Everything that has queued as one event of a subscription field: what the REST adapter subscribes to. */
export function frameEvents<Field extends string>(
  field: Field,
  stream: CompletionStream,
): AsyncIterableIterator<Record<Field, RawFrames>, undefined> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await stream.next()
      if (step.done) return step
      return { done: false, value: { [field]: new RawFrames(step.value) } as Record<Field, RawFrames> }
    },
    async return() {
      await stream.return()
      return { done: true, value: undefined }
    },
  }
}
