import { RawFrames } from '../../../platform/openai/raw-frames.ts'
import { notesOf } from './answer.ts'
import type { CompletionStream } from './completion-stream.ts'

/** Everything that has queued as one event of a subscription field: what the REST adapter subscribes to. */
export function frameEvents<Field extends string>(
  field: Field,
  stream: CompletionStream,
): AsyncIterableIterator<Record<Field, RawFrames>, undefined> {
  let notes = notesOf(stream.promptModules)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await stream.next()
      if (step.done) return step
      const frames = new RawFrames(step.value, notes)
      notes = undefined
      return { done: false, value: { [field]: frames } as Record<Field, RawFrames> }
    },
    async return() {
      await stream.return()
      return { done: true, value: undefined }
    },
  }
}
