import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { inlineDisposition } from '../../platform/content-disposition.ts'
import { AppError } from '../../platform/errors.ts'
import { exactly } from '../../platform/exact-size.ts'
import type { ByteRange } from '../../platform/stored-bytes.ts'
import type { RouteInput } from '../route.ts'
import { transferFailure } from './client-left.ts'

/** What is told of bytes that are sent. */
export interface SentHead {
  readonly contentType: string
  /** The name that a browser saves it under. */
  readonly filename: string | null
  readonly cacheControl: string
  /** A strong validator with its quotes; null where there is none. */
  readonly etag: string | null
}

/** A stored object as it is to be sent. */
export interface SentObject extends SentHead {
  readonly key: string
  readonly size: number
}

/** Somebody's bytes, on our origin: shown, perhaps, and never run. */
const policy = "sandbox; default-src 'none'"

/**
 * Answers GET and HEAD with an object's bytes, or one range of them (RFC 9110 14), with backpressure. What fails before the first
 * byte is a plain error; later the connection is cut, so that what was read can't be taken for the whole.
 * @throws AppError `media_not_found`, `range_not_satisfiable`, and what the store throws
 */
export async function sendBytes(
  { request, context, files }: Pick<RouteInput, 'request' | 'context' | 'files'>,
  response: Response,
  object: SentObject,
): Promise<void> {
  if (isKnown(request, object)) {
    response.writeHead(304, headersOf(object)).end()
    return
  }
  const range = request.method === 'HEAD' ? null : rangeOf(request, response, object)
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  const head = {
    ...headersOf(object),
    'Content-Type': object.contentType,
    'Content-Length': end - start + 1,
    ...(range ? { 'Content-Range': `bytes ${start}-${end}/${object.size}` } : {}),
  }
  if (request.method === 'HEAD') {
    response.writeHead(200, head).end()
    return
  }
  const { signal } = context
  const bytes = await files.bytes.read(object.key, {
    signal,
    ...(object.size > 0 ? { range: { start, end } } : {}),
  })
  if (!bytes) throw new AppError('media_not_found', 'There is no such file.')
  response.writeHead(range ? 206 : 200, head)
  try {
    await pipeline(exactly(bytes, end - start + 1), response, { signal })
  } catch (error) {
    throw transferFailure(error)
  } finally {
    bytes.destroy()
  }
}

/** Answers GET and HEAD with bytes that are at hand. */
export function sendWhole(request: Request, response: Response, bytes: Buffer, head: SentHead): void {
  if (isKnown(request, head)) {
    response.writeHead(304, headersOf(head)).end()
    return
  }
  const { 'Accept-Ranges': _, ...headers } = headersOf(head)
  response.writeHead(200, { ...headers, 'Content-Type': head.contentType, 'Content-Length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

function headersOf({ filename, cacheControl, etag }: SentHead): Record<string, string> {
  return {
    'Accept-Ranges': 'bytes',
    'Cache-Control': cacheControl,
    'Content-Disposition': inlineDisposition(filename),
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    ...(etag === null ? {} : { ETag: etag }),
  }
}

/** Whether the client has it already. Unlike Express, one that has caches ask anew is told so too. */
function isKnown({ headers }: Request, { etag }: SentHead): boolean {
  const known = headers['if-none-match']?.split(',') ?? []
  return etag !== null && known.some((one) => ['*', etag, `W/${etag}`].includes(one.trim()))
}

/** How many of the last bytes are asked for; the parser that Express has takes more than there are for none. */
function suffixLength({ headers }: Request): number {
  const [, length = 0] = /^bytes=-(\d+)$/.exec(headers.range ?? '') ?? []
  return Number(length)
}

/**
 * The one range that is asked for. What is no range, several at once, or one of another version (`If-Range`) is answered whole.
 * @throws AppError `range_not_satisfiable`
 */
function rangeOf(request: Request, response: Response, { size, etag }: SentObject): ByteRange | null {
  const version = request.headers['if-range']
  if (version !== undefined && version !== etag) return null
  if (size > 0 && suffixLength(request) >= size) return { start: 0, end: size - 1 }
  const ranges = request.range(size)
  if (ranges === -1) {
    response.setHeader('Content-Range', `bytes */${size}`)
    throw new AppError('range_not_satisfiable', `There are ${size} bytes, and none in this range.`)
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes') return null
  const [first, ...others] = ranges
  return first && others.length === 0 ? { start: first.start, end: first.end } : null
}
