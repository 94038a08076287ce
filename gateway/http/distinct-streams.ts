import type { Request, Response } from 'express'
import type { ExecutionResult } from 'graphql'
import { drained } from '../../platform/drained.ts'
import { AppError } from '../../platform/errors.ts'
import { markTransientErrors } from '../../platform/unrepeatable.ts'
import { type OperationParams, operationParams } from './operation-parser.ts'

/** Runs the operation of one request. */
export type OpenOperation = (
  request: Request,
  params: OperationParams,
) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>

const headers = {
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'none',
  'Content-Type': 'text/event-stream; charset=utf-8',
}
/** An empty message: some browsers hold back the head of a response until there is something of its body. */
const opening = ':\n\n'
const ping = ':\n\n'
const pingMs = 12_000
const complete = 'event: complete\ndata:\n\n'

/**
 * The protocol graphql-sse in its distinct connections mode: one response per operation. The next event is asked for when
 * its client has read enough of those before.
 * @returns a handler that rejects with what `open` throws, before the first byte
 */
export function distinctStreams(
  open: OpenOperation,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const outcome = await open(request, sentParams(request))
    const streams = Symbol.asyncIterator in outcome
    if (response.destroyed) {
      if (streams) await outcome.return?.()
      return
    }
    response.writeHead(200, headers).write(opening)
    if (streams) await writeEvents(response, outcome)
    else writeResult(response, singleResult(outcome))
    response.end(complete)
  }
}

async function writeEvents(
  response: Response,
  events: AsyncIterableIterator<ExecutionResult>,
): Promise<void> {
  const pings = setInterval(() => response.write(ping), pingMs)
  const leave = () => void events.return?.()
  response.once('close', leave)
  try {
    for (let step = await events.next(); !step.done && !response.destroyed; step = await events.next())
      if (!writeResult(response, step.value)) await drained(response)
  } finally {
    clearInterval(pings)
    response.off('close', leave)
  }
}

function writeResult(response: Response, result: ExecutionResult): boolean {
  if (result.errors) markTransientErrors(response, result.errors)
  return response.write(next(result))
}

function next(result: ExecutionResult): string {
  return `event: next\ndata: ${JSON.stringify(result)}\n\n`
}

/** Clients know a result by its having `data`, even of a request that failed before there was any. */
function singleResult({ data, ...rest }: ExecutionResult): ExecutionResult {
  return { data: data ?? null, ...rest }
}

/** @throws AppError `invalid_parameter` */
function sentParams(request: Request): OperationParams {
  const params = operationParams(request.method === 'GET' ? queryParams(request) : request.body)
  if (params) return params
  throw new AppError('invalid_parameter', 'The request must have a query.', { param: 'query' })
}

function queryParams({ url }: Request): Record<string, unknown> {
  const sent = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  return {
    query: sent.get('query'),
    operationName: sent.get('operationName'),
    variables: parsedVariables(sent.get('variables')),
  }
}

function parsedVariables(text: string | null): unknown {
  if (!text) return null
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid_parameter', 'The variables are not valid JSON.', {
      param: 'variables',
      cause,
    })
  }
}
