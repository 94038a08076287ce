import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { AppError } from './errors.ts'

/** What was seen of a stream that has gone by. */
export interface ByteFacts {
  readonly bytes: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  /** The last of them, 64 at the most. */
  readonly tail: Buffer
}

/** A stream whose beginning is known, and whose end will be. */
export interface ObservedBytes {
  /** The first of them, 64 KB at the most. */
  readonly head: Buffer
  /** All of them, the head included; to be read once. Fails with `max_size_exceeded` at the first byte too many. */
  readonly stream: Readable
  /** What they were. @throws Error before the stream has ended */
  facts(): ByteFacts
}

/** How a stream is observed. */
export interface ObserveOptions {
  readonly maxBytes: number
  /** The wire name that errors tell. */
  readonly param: string
}

/** As much as tells the type and the size of nearly every image. */
const headBytes = 64 * 1024
const tailBytes = 64

/** Reads the beginning of a stream, and hands on all of it with its size, hash and end. @throws the stream's own error */
export async function observeBytes(
  source: AsyncIterable<Uint8Array>,
  { maxBytes, param }: ObserveOptions,
): Promise<ObservedBytes> {
  const hash = createHash('sha256')
  const chunks = source[Symbol.asyncIterator]()
  const begun: Uint8Array[] = []
  let begunBytes = 0
  let bytes = 0
  let tail = Buffer.alloc(0)
  let facts: ByteFacts | null = null

  const next = async (): Promise<Uint8Array | null> => {
    const { done, value } = await chunks.next()
    if (done) return null
    bytes += value.byteLength
    if (bytes > maxBytes) throw tooLarge(maxBytes, param)
    hash.update(value)
    const end = Buffer.from(value.subarray(-tailBytes))
    tail = end.length === tailBytes ? end : Buffer.concat([tail, end]).subarray(-tailBytes)
    return value
  }
  while (begunBytes < headBytes) {
    const chunk = await next()
    if (!chunk) break
    begun.push(chunk)
    begunBytes += chunk.byteLength
  }

  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* begun.splice(0)
      for (let chunk = await next(); chunk; chunk = await next()) yield chunk
      facts = { bytes, sha256: hash.digest('hex'), tail }
    } finally {
      await chunks.return?.()
    }
  }
  return {
    head: Buffer.concat(begun).subarray(0, headBytes),
    stream: Readable.from(all(), { objectMode: false }),
    facts() {
      if (!facts) throw new Error('the bytes have not all gone by')
      return facts
    },
  }
}

/** The refusal of more bytes than are taken (contract 8.2). */
export function tooLarge(maxBytes: number, param: string | null): AppError {
  return new AppError('max_size_exceeded', `At most ${maxBytes} bytes are taken.`, { param })
}
