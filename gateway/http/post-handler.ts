import type { Request, RequestHandler, Response } from 'express'
import type { ExecutionResult } from 'graphql'
import type { Logger } from '../../platform/log.ts'
import { markTransientErrors } from '../../platform/unrepeatable.ts'
import type { AdmittedOperation } from '../operation-runner.ts'
import type { StreamingOptions } from './graph-http-options.ts'
import { operationParams } from './operation-parser.ts'
import { presentError } from './present-error.ts'

const json = 'application/json'
const graphqlJson = 'application/graphql-response+json'

/**
 * The short way for what clients nearly always send: one valid operation as JSON by POST, parsed, checked and planned when
 * its text first came. Everything else, and whatever is to be refused, goes on to the next handler, which has the whole
 * protocol and all of its errors. Forms of other sites can't take this way: a browser asks before it sends JSON.
 */
export function postHandler({
  graph,
  openContext,
  parser,
  log,
}: Omit<StreamingOptions, 'draining' | 'stillHolds'> & { readonly log: Logger }): RequestHandler {
  const admitted = async (request: Request): Promise<AdmittedOperation | null> => {
    const { extensions } = request.body as { extensions?: unknown }
    const params = operationParams(request.body)
    if (!params || extensions != null) return null
    const document = parser.orNull(params.query)
    return document && graph.clients.admit({ ...params, document })
  }

  return async (request, response, next) => {
    const type = request.method === 'POST' && request.accepts([json, graphqlJson])
    const operation = type ? await admitted(request) : null
    if (!type || !operation) return next()
    const context = await openContext(request, response)
    answer(response, type, await operation.run(context), log)
  }
}

function answer(response: Response, type: string, result: ExecutionResult, log: Logger): void {
  markTransientErrors(response, result.errors)
  const errors = result.errors?.map((error) => presentError(error.toJSON(), error, log))
  // GraphQL over HTTP: the newer type tells by its status that there are no data, the older one by its body alone.
  if (type === graphqlJson && result.data === undefined) response.statusCode = 500
  response.setHeader('Content-Type', `${type}; charset=utf-8`)
  response.setHeader('Cache-Control', 'no-store')
  response.end(JSON.stringify(errors ? { ...result, errors } : result))
}
