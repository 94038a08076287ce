import { once } from 'node:events'
import type { RequestHandler } from 'express'
import { AppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { bodyReader } from '../body.ts'
import { errorHandler } from '../errors.ts'
import type { RequestScope } from '../request-scope.ts'
import type { Idempotency } from './idempotency.ts'
import { keyedRequest } from './keyed-request.ts'

/** What a mounted handler gets its idempotency from. */
export interface KeyedMountOptions {
  readonly scope: RequestScope
  readonly idempotency: Idempotency
  readonly maxBodyBytes: number
  readonly log: Logger
}

const json = /^application\/(json|graphql\+json)\s*(;|$)/i

/**
 * Idempotency for a handler that is no route of the table, as the graph's: a JSON POST with a key is run once. The handler
 * finds the bytes of the body in `request.body`. Whatever else comes is the handler's alone.
 */
export function keyedMount(
  handler: RequestHandler,
  { scope, idempotency, maxBodyBytes, log }: KeyedMountOptions,
): RequestHandler {
  const readBody = bodyReader(maxBodyBytes)
  const tellFailure = errorHandler(log)
  return async (request, response, next) => {
    const { method, headers } = request
    const mayBeKeyed = method === 'POST' && headers['idempotency-key'] !== undefined
    if (!mayBeKeyed || !json.test(headers['content-type'] ?? '')) return handler(request, response, next)
    const { actor, signal } = await scope.open(request, response)
    if (!actor) return handler(request, response, next)
    const keyed = keyedRequest(request, actor, await readBody(request, response), headers.accept)
    if (!keyed) return handler(request, response, next)
    await idempotency.serve({
      keyed,
      request,
      response,
      signal,
      async run(detached) {
        const ended = once(detached, 'close')
        const fail = (error: unknown = new AppError('route_not_found', 'There is no such route.')) =>
          tellFailure(error, request, detached, () => undefined)
        try {
          await handler(request, detached, fail)
        } catch (error) {
          fail(error)
        }
        await ended
      },
    })
  }
}
