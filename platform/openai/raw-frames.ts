import type { AnswerNotes } from './answer-notes.ts'

/**
 * Frames of a stream as bytes, on their way from the provider to the client: by reference in one process, as a list of
 * texts between processes. Not to be written to.
 */
export class RawFrames {
  readonly frames: readonly Buffer[]
  /** With the first frames of a stream that has something to tell beside them. */
  readonly notes: AnswerNotes | undefined

  constructor(frames: readonly Buffer[], notes?: AnswerNotes) {
    this.frames = frames
    this.notes = notes
  }

  /** Frames are JSON, and JSON is UTF-8: as text they lose nothing. */
  toJSON(): string[] | { frames: string[]; notes: AnswerNotes } {
    const frames = this.frames.map((frame) => frame.toString())
    return this.notes ? { frames, notes: this.notes } : frames
  }
}

const dataField = Buffer.from('data: ')
const frameEnd = Buffer.from('\n\n')

/**
 * The bytes of `data:` events for frames in either form.
 * @throws TypeError for anything else, which is a fault of ours
 */
export function encodeEvents(value: unknown): Buffer {
  return Buffer.concat(framesOf(value).flatMap((frame) => [dataField, frame, frameEnd]))
}

function framesOf(value: unknown): readonly Buffer[] {
  if (value instanceof RawFrames) return value.frames
  if (typeof value === 'object' && value !== null && 'frames' in value) return framesOf(value.frames)
  if (Array.isArray(value) && value.every((frame) => typeof frame === 'string'))
    return value.map((frame) => Buffer.from(frame))
  throw new TypeError('a stream event is not a list of frames')
}
