import type { ErrorRequestHandler, Response } from 'express'
import { AppError, type Quota, toAppError } from '../platform/errors.ts'
import type { Logger } from '../platform/log.ts'

/** Contract 8.2: the body of every failure. `message` stands twice because two kinds of client look for it. */
export function errorEnvelope(failure: AppError, requestId: string) {
  return {
    error: {
      type: failure.type,
      code: failure.code,
      message: failure.message,
      param: failure.param,
      request_id: requestId,
      ...(failure.quota ? quotaFields(failure.quota) : {}),
      ...(failure.retryAfter === undefined ? {} : { retry_after: failure.retryAfter }),
    },
    message: failure.message,
  }
}

function quotaFields({ limit, remaining, resetAt }: Quota) {
  return { limit, remaining, reset_at: resetAt }
}

/** Answers with a failure. After the head has gone out nothing can be said any more: the connection is cut. */
export function sendError(response: Response, failure: AppError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (failure.retryAfter !== undefined)
    response.setHeader('Retry-After', String(Math.ceil(failure.retryAfter)))
  if (failure.status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  response.status(failure.status)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(errorEnvelope(failure, requestIdOf(response))))
}

/** The id that the first middleware gave this request. */
export function requestIdOf(response: Response): string {
  return String(response.getHeader('X-Request-Id') ?? '')
}

/** The last handler: whatever was thrown becomes the envelope; what is our fault is logged. */
export function errorHandler(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const failure = failureOf(thrown)
    if (failure.code === 'internal') {
      log.error(
        { err: failure.cause ?? failure, requestId: requestIdOf(response), path: request.path },
        'a request failed',
      )
    }
    if (response.destroyed) return
    sendError(response, failure)
  }
}

/** What the caller is told of what was thrown. */
export function failureOf(thrown: unknown): AppError {
  return toAppError(fromFramework(thrown))
}

/** Express and its body reader throw errors with a `status`: each is the client's fault and has its own code. */
function fromFramework(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof AppError || !('status' in thrown)) return thrown
  if (thrown.status === 413)
    return new AppError('payload_too_large', 'The body is too large.', { cause: thrown })
  if (thrown.status === 415)
    return new AppError('unsupported_media_type', 'This encoding of the body is not supported.', {
      cause: thrown,
    })
  if (thrown.status === 400)
    return new AppError('invalid_parameter', 'The request could not be read.', { cause: thrown })
  return thrown
}
