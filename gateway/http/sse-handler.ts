import type { Request, RequestHandler, Response } from 'express'
import { GraphQLError } from 'graphql'
import type { RequestContext } from '../../platform/context.ts'
import { AppError } from '../../platform/errors.ts'
import { distinctStreams } from './distinct-streams.ts'
import type { StreamingOptions } from './graph-http-options.ts'
import { assertUnkeyed, endingWith, isLive } from './live-operations.ts'

const methods = 'GET, POST, OPTIONS'

/** Any operation over graphql-sse. Leaving aborts the request's signal. */
export function sseHandler({
  graph,
  openContext,
  stillHolds,
  parser,
  draining,
}: StreamingOptions): RequestHandler {
  const contexts = new WeakMap<Request, RequestContext>()
  const handler = distinctStreams(async (request, { query, operationName, variables }) => {
    const context = contexts.get(request)
    if (!context) throw new Error('a graphql-sse request has no context')
    try {
      const document = parser.parse(query)
      const operation = {
        document,
        operationName,
        variables,
        context,
      }
      const kind = await graph.clients.kindOf(operation)
      if (kind === 'mutation' && request.method === 'GET') {
        request.res?.setHeader('Allow', 'POST')
        throw new AppError('method_not_allowed', 'Send mutations by POST.')
      }
      if (kind !== 'subscription') return await graph.clients.execute(operation)
      const live = isLive(await graph.apiSchema(), document, operationName)
      if (live) assertUnkeyed(request)
      const opened = await graph.clients.subscribe(operation)
      if (!live || !(Symbol.asyncIterator in opened)) return opened
      return endingWith({ draining, holds: () => stillHolds(request, context) }, opened)
    } catch (thrown) {
      if (!(thrown instanceof GraphQLError)) throw thrown
      return { errors: [thrown] }
    }
  })
  return async (request, response) => {
    assertStreamable(request, response)
    contexts.set(request, await openContext(request, response))
    response.setHeader('X-Accel-Buffering', 'no')
    await handler(request, response)
  }
}

/** Whether the request can be meant for this protocol. @throws AppError */
function assertStreamable(request: Request, response: Response): void {
  if (request.method !== 'GET' && request.method !== 'POST') {
    response.setHeader('Allow', methods)
    throw new AppError('method_not_allowed', `This route takes ${methods}.`)
  }
  if (!request.accepts('text/event-stream'))
    throw new AppError('not_acceptable', 'Answers come as text/event-stream here.')
  if (request.method === 'GET') return
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new AppError('unsupported_media_type', 'Send the operation as application/json.')
}
