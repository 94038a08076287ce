import type { ErrorRequestHandler, Response } from 'express'
import { AppError, toAppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'

/** The result of a request that failed before any field ran. */
export function errorResult(failure: AppError, requestId: string) {
  return {
    errors: [{ message: failure.message, extensions: { ...failure.extensions, request_id: requestId } }],
  }
}

/** The last handler of the graph's routes: failures of transport and sign-in in GraphQL's own shape, with their status. */
export function graphqlErrors(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const failure = toAppError(fromBodyReader(thrown))
    if (failure.code === 'internal') {
      const requestId = String(response.getHeader('X-Request-Id') ?? '')
      log.error(
        { err: failure.cause ?? failure, requestId, path: request.originalUrl.split('?')[0] },
        'a GraphQL request failed',
      )
    }
    if (response.headersSent) next(thrown)
    else answerError(response, failure)
  }
}

function answerError(response: Response, failure: AppError): void {
  const requestId = String(response.getHeader('X-Request-Id') ?? '')
  if (failure.retryAfter !== undefined)
    response.setHeader('Retry-After', String(Math.ceil(failure.retryAfter)))
  response.status(failure.status).json(errorResult(failure, requestId))
}

function fromBodyReader(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof AppError || !('status' in thrown)) return thrown
  if (thrown.status === 413)
    return new AppError('payload_too_large', 'The body is too large.', { cause: thrown })
  if (thrown.status === 415)
    return new AppError('unsupported_media_type', 'This encoding of the body is not supported.', {
      cause: thrown,
    })
  if (thrown.status === 400)
    return new AppError('invalid_json', 'The body could not be read.', { cause: thrown })
  return thrown
}
