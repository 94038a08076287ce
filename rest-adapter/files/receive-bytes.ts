import { type Readable, Transform } from 'node:stream'
import type { Request } from 'express'
import { AppError } from '../../platform/errors.ts'
import { tooLarge } from '../../platform/observed-bytes.ts'
import { transferFailure } from './client-left.ts'

/**
 * A request's body as it comes, for a route that declares no body to be read. Destroying it spares the connection: the answer can
 * still be sent. It fails with `max_size_exceeded` (or what `refusal` makes) after `maxBytes`, with `client_closed_request` where the client leaves.
 * @throws AppError `max_size_exceeded` for a length that is told before; `unsupported_media_type` for a compressed body
 */
export function bodyStream(
  request: Request,
  maxBytes: number,
  refusal = () => tooLarge(maxBytes, null),
): Readable {
  const { 'content-encoding': encoding = 'identity', 'content-length': length } = request.headers
  if (encoding !== 'identity')
    throw new AppError('unsupported_media_type', 'Send the bytes as they are, without Content-Encoding.')
  if (Number(length ?? 0) > maxBytes) throw refusal()
  let passed = 0
  const body = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      passed += chunk.length
      if (passed > maxBytes) pass(refusal())
      else pass(null, chunk)
    },
  })
  request.once('error', (error) => body.destroy(transferFailure(error) as Error)).pipe(body)
  // What nobody reads any more still has to arrive, or the connection is stuck. After `pipe`, which would pause it again.
  body.once('close', () => request.resume())
  return body
}
