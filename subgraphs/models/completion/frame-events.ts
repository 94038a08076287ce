import { RawFrames } from '../../../platform/openai/raw-frames.ts'
import type { CompletionStream } from './completion-stream.ts'

type Event = { streamChat: RawFrames }

/** Everything that has queued as one event: what the REST adapter subscribes to. */
export function frameEvents(stream: CompletionStream): AsyncIterableIterator<Event, undefined> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await stream.next()
      return step.done ? step : { done: false, value: { streamChat: new RawFrames(step.value) } }
    },
    async return() {
      await stream.return()
      return { done: true, value: undefined }
    },
  }
}
