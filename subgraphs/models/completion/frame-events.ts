import { RawFrames } from '../../../platform/openai/raw-frames.ts'
import { notesOf } from './answer.ts'
import type { CompletionStream } from './completion-stream.ts'

type Event = { streamChat: RawFrames }

/** Everything that has queued as one event: what the REST adapter subscribes to. */
export function frameEvents(stream: CompletionStream): AsyncIterableIterator<Event, undefined> {
  let notes = notesOf(stream.promptModules)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await stream.next()
      if (step.done) return step
      const streamChat = new RawFrames(step.value, notes)
      notes = undefined
      return { done: false, value: { streamChat } }
    },
    async return() {
      await stream.return()
      return { done: true, value: undefined }
    },
  }
}
