const LF = 10
const CR = 13
const COLON = 58
const SPACE = 32

/** The longest frame that is accepted, in bytes. */
export const MAX_SSE_FRAME_BYTES = 16 * 1024 * 1024

/** A frame grew over the bound without its blank line: the sender is broken or hostile. */
export class SseFrameTooLarge extends Error {
  override name = 'SseFrameTooLarge'
}

/**
 * Takes the payload of one frame: the bytes of its `data:` lines, joined by LF. Usually a slice of the chunk it came
 * in: not to be written to. `event` is the frame's `event:` line, null where it has none.
 */
export type SseFrameHandler = (data: Buffer, event: string | null) => void

/** Where the bytes that wait for the rest of their frame stop: a blank line may be cut between two chunks. */
type Tail = 'in line' | 'after LF' | 'after LF CR'

/**
 * Splits the bytes of a `text/event-stream` into frames. Chunks may be cut anywhere, inside a character or a line end
 * too. Lines end with LF or CRLF (a lone CR, which no sender is known to use, does not end a line). Comments, frames
 * without data and unknown fields are dropped. Time is linear in the bytes, however they are cut.
 */
export class SseSplitter {
  readonly #onFrame: SseFrameHandler
  readonly #maxFrameBytes: number
  #parts: Buffer[] = []
  #partBytes = 0
  #tail: Tail = 'in line'

  constructor(onFrame: SseFrameHandler, { maxFrameBytes = MAX_SSE_FRAME_BYTES } = {}) {
    this.#onFrame = onFrame
    this.#maxFrameBytes = maxFrameBytes
  }

  /** @throws SseFrameTooLarge when the frame that `chunk` continues is over the bound */
  push(chunk: Buffer): void {
    let start = this.#partBytes === 0 ? 0 : this.#completeParts(chunk)
    while (start < chunk.length) {
      const newline = chunk.indexOf(LF, start)
      if (newline === -1) break
      const end = blankLineEnd(chunk, newline)
      if (end !== -1) {
        this.#emitLine(chunk, start, newline)
        start = end
        continue
      }
      const frameEnd = nextFrameEnd(chunk, newline + 1)
      if (frameEnd === -1) break
      this.#emitLines(chunk.subarray(start, frameEnd))
      start = frameEnd
    }
    if (start < chunk.length) this.#keep(start === 0 ? chunk : chunk.subarray(start))
  }

  /**
   * Ends the stream. Gives the payload of a last frame that lacks its blank line, or null. The standard would drop
   * it; whether it is whole only the reader can tell.
   */
  end(): Buffer | null {
    if (this.#partBytes === 0) return null
    return parseFrame(this.#takeParts()).data
  }

  /** Ends the waiting frame with the head of `chunk`; gives the offset of the next, or the chunk's end if it has no end yet. */
  #completeParts(chunk: Buffer): number {
    const cut = cutBlankLineEnd(chunk, this.#tail)
    const end = cut === -1 ? nextFrameEnd(chunk, 0) : cut
    if (end === -1) {
      this.#keep(chunk)
      return chunk.length
    }
    this.#parts.push(chunk.subarray(0, end))
    this.#partBytes += end
    this.#checkBound()
    this.#emitLines(this.#takeParts())
    return end
  }

  #keep(rest: Buffer): void {
    this.#tail = tailOf(rest, this.#partBytes > 0 ? this.#tail : 'in line')
    this.#parts.push(rest)
    this.#partBytes += rest.length
    this.#checkBound()
  }

  #checkBound(): void {
    if (this.#partBytes <= this.#maxFrameBytes) return
    this.#takeParts()
    throw new SseFrameTooLarge(`An event stream frame is longer than ${this.#maxFrameBytes} bytes.`)
  }

  #takeParts(): Buffer {
    const [only, ...others] = this.#parts
    const frame = only && others.length === 0 ? only : Buffer.concat(this.#parts, this.#partBytes)
    this.#parts = []
    this.#partBytes = 0
    this.#tail = 'in line'
    return frame
  }

  #emitLine(bytes: Buffer, start: number, newline: number): void {
    const end = bytes[newline - 1] === CR && newline > start ? newline - 1 : newline
    const value = dataStart(bytes, start, end)
    if (value !== -1 && value < end) this.#onFrame(bytes.subarray(value, end), null)
  }

  #emitLines(frame: Buffer): void {
    const { data, event } = parseFrame(frame)
    if (data) this.#onFrame(data, event)
  }
}

/** The offset after the blank line that follows the line ended at `newline`, or -1 if another line follows. */
function blankLineEnd(bytes: Buffer, newline: number): number {
  const next = bytes[newline + 1]
  if (next === LF) return newline + 2
  return next === CR && bytes[newline + 2] === LF ? newline + 3 : -1
}

function nextFrameEnd(bytes: Buffer, from: number): number {
  let newline = bytes.indexOf(LF, from)
  while (newline !== -1) {
    const end = blankLineEnd(bytes, newline)
    if (end !== -1) return end
    newline = bytes.indexOf(LF, newline + 1)
  }
  return -1
}

/** The end of a blank line that began in an earlier chunk, or -1. */
function cutBlankLineEnd(chunk: Buffer, tail: Tail): number {
  if (tail === 'in line') return -1
  if (chunk[0] === LF) return 1
  return tail === 'after LF' && chunk[0] === CR && chunk[1] === LF ? 2 : -1
}

function tailOf(bytes: Buffer, before: Tail): Tail {
  const last = bytes[bytes.length - 1]
  if (last === LF) return 'after LF'
  if (last !== CR) return bytes.length === 0 ? before : 'in line'
  const followsLf = bytes.length === 1 ? before === 'after LF' : bytes[bytes.length - 2] === LF
  return followsLf ? 'after LF CR' : 'in line'
}

/** The offset of the value of a `data` line, or -1 if the line is another field's. */
function dataStart(bytes: Buffer, start: number, end: number): number {
  const isData =
    bytes[start] === 0x64 &&
    bytes[start + 1] === 0x61 &&
    bytes[start + 2] === 0x74 &&
    bytes[start + 3] === 0x61
  if (!isData || start + 4 >= end || bytes[start + 4] !== COLON) return -1
  return bytes[start + 5] === SPACE ? start + 6 : start + 5
}

function parseFrame(frame: Buffer): { data: Buffer | null; event: string | null } {
  const lines: Buffer[] = []
  let event: string | null = null
  let start = hasByteOrderMark(frame) ? 3 : 0
  while (start < frame.length) {
    const newline = frame.indexOf(LF, start)
    const stop = newline === -1 ? frame.length : newline
    const end = stop > start && frame[stop - 1] === CR ? stop - 1 : stop
    const value = dataStart(frame, start, end)
    if (value !== -1) lines.push(frame.subarray(value, Math.max(value, end)))
    else if (frame[start] === 0x65) event = eventName(frame.subarray(start, end)) ?? event
    start = stop + 1
  }
  return { data: joined(lines), event }
}

function eventName(line: Buffer): string | null {
  return /^event: ?(.+)$/.exec(line.toString())?.[1] ?? null
}

function joined(lines: Buffer[]): Buffer | null {
  const [only] = lines
  if (lines.length <= 1) return only?.length ? only : null
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.of(LF), line])))
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}
