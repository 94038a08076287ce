import type { RequestHandler, Response } from 'express'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { drained } from '../../platform/drained.ts'
import { AppError } from '../../platform/errors.ts'
import { markTransientErrors } from '../../platform/unrepeatable.ts'
import type { StreamingOptions } from './graph-http-options.ts'
import { assertUnkeyed, endingWith, isLive } from './live-operations.ts'
import { operationParams } from './operation-parser.ts'

const protocol = /multipart\/mixed\s*;(?=[^,]*subscriptionspec\s*=\s*"?1\.0"?)/i
const heartbeatMs = 10_000
const opening = '\r\n--graphql'
const partHead = '\r\nContent-Type: application/json\r\n\r\n'

/**
 * Apollo's multipart protocol for subscriptions on the graph's own URL, as Apollo Client and Sandbox speak it: each event
 * a part `{"payload": result}`, `{}` as heartbeat, a closing boundary at the end. Other requests go on to the next handler.
 */
export function multipartSubscriptions({
  graph,
  openContext,
  stillHolds,
  parser,
  draining,
}: StreamingOptions): RequestHandler {
  return async (request, response, next) => {
    if (request.method !== 'POST' || !protocol.test(request.headers.accept ?? '')) return next()
    if (!/^application\/json/i.test(request.headers['content-type'] ?? '')) {
      throw new AppError('unsupported_media_type', 'Send the operation as application/json.')
    }
    const params = operationParams(request.body)
    if (!params) throw new AppError('invalid_parameter', 'The body must have a query.', { param: 'query' })
    const operation = await settle(async () => {
      const document = parser.parse(params.query)
      const kind = await graph.clients.kindOf({ document, operationName: params.operationName })
      return { document, kind }
    })
    if (operation instanceof GraphQLError) return answerOnce(response, { errors: [operation] })
    if (operation.kind !== 'subscription') return next()
    const live = isLive(await graph.apiSchema(), operation.document, params.operationName)
    if (live) assertUnkeyed(request)
    const context = await openContext(request, response)
    const opened = await graph.clients.subscribe({ ...params, document: operation.document, context })
    if (!(Symbol.asyncIterator in opened)) return answerOnce(response, opened)
    const ending = { draining, holds: () => stillHolds(request, context) }
    await answerParts(response, live ? endingWith(ending, opened) : opened)
  }
}

async function settle<T>(work: () => Promise<T>): Promise<T | GraphQLError> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return thrown
    throw thrown
  }
}

function writeHead(response: Response): void {
  response.status(200)
  response.setHeader('Content-Type', 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"')
  response.setHeader('Cache-Control', 'no-cache')
  response.setHeader('X-Accel-Buffering', 'no')
  response.write(opening)
}

async function answerOnce(response: Response, result: ExecutionResult): Promise<void> {
  markTransientErrors(response, result.errors)
  writeHead(response)
  response.end(`${partHead}${JSON.stringify({ payload: result })}${opening}--\r\n`)
}

async function answerParts(
  response: Response,
  events: AsyncIterableIterator<ExecutionResult>,
): Promise<void> {
  writeHead(response)
  const part = (value: unknown) => response.write(`${partHead}${JSON.stringify(value)}${opening}`)
  const heartbeat = setInterval(() => part({}), heartbeatMs)
  const leave = () => void events.return?.()
  response.once('close', leave)
  try {
    for await (const payload of events) {
      if (response.destroyed) return
      heartbeat.refresh()
      if (payload.errors) markTransientErrors(response, payload.errors)
      if (!part({ payload })) await drained(response)
    }
    response.end('--\r\n')
  } finally {
    clearInterval(heartbeat)
    response.off('close', leave)
  }
}
