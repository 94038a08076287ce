import type { IncomingMessage } from 'node:http'
import express, { type Request, type RequestHandler, type Response } from 'express'
import { AppError } from '../platform/errors.ts'
import { parseJsonBody } from '../platform/json-body.ts'
import type { RouteDescription } from './route.ts'

/** Bodies that are not chats or media stay under this: 1 MB (contract 3.1). */
export const smallBodyBytes = 1024 * 1024

/** Types that are read as JSON: what clients send, and what `curl -d` says when nobody told it better (contract 8.4). */
const readableTypes =
  /^(application\/([\w.+-]+\+)?json|text\/plain|application\/x-www-form-urlencoded)\s*(;|$)/i

const namedCharset = /;\s*charset\s*=\s*"?([^\s;"]*)/i
const readableCharset = /^(utf-?8|us-ascii)$/i

/** Reads the bytes of a body, up to `limit`. An empty body is empty bytes. */
export function bodyReader(limit: number): (request: Request, response: Response) => Promise<Buffer> {
  const read: RequestHandler = express.raw({ type: () => true, limit, inflate: true })
  return async (request, response) => {
    assertReadable(request, limit)
    await new Promise<void>((resolve, reject) => {
      read(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)))
    })
    const bytes: unknown = request.body
    return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
  }
}

/** What the headers tell already is refused at once: the body reader would first wait for all of the body. */
function assertReadable({ headers }: IncomingMessage, limit: number): void {
  if (Number(headers['content-length'] ?? 0) > limit)
    throw new AppError('payload_too_large', 'The body is too large.')
  const type = headers['content-type']
  if (type === undefined) return
  if (!readableTypes.test(type))
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  const [, charset = 'utf-8'] = namedCharset.exec(type) ?? []
  if (!readableCharset.test(charset)) throw new AppError('unsupported_media_type', 'Send the body in UTF-8.')
}

/**
 * The value of a JSON body.
 * @throws AppError `invalid_json`, also when there is none and the route needs one; `payload_too_large` for too many values
 */
export function bodyValue(
  bytes: Buffer,
  { bodyOptional, bodyValues }: Pick<RouteDescription, 'bodyOptional' | 'bodyValues'>,
): unknown {
  if (bytes.length > 0) return parseJsonBody(bytes, bodyValues)
  if (bodyOptional) return {}
  throw new AppError('invalid_json', 'The request needs a JSON body.')
}
