import { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import { createApolloHandler } from './apollo-handler.ts'
import { graphqlErrors } from './error-answer.ts'
import type { GraphHttpOptions } from './graph-http-options.ts'
import { graphiqlPage } from './graphiql-page.ts'
import { multipartSubscriptions } from './multipart-subscriptions.ts'
import { createOperationParser } from './operation-parser.ts'
import { persistedOperations } from './persisted-operations.ts'
import { postHandler } from './post-handler.ts'
import { readGraphqlBody } from './read-body.ts'
import { sseHandler } from './sse-handler.ts'

/** The graph's HTTP face. */
export interface GraphHttp {
  /**
   * To be mounted at `/graphql`: GraphQL over HTTP, multipart subscriptions and Apollo Sandbox there, graphql-sse there
   * and on `/stream`, GraphiQL on `/graphiql`.
   */
  readonly handler: RequestHandler
  /** Tells failures of what stands before the handler as GraphQL tells its own. */
  readonly errors: ErrorRequestHandler
  stop(): Promise<void>
}

export async function createGraphHttp(options: GraphHttpOptions): Promise<GraphHttp> {
  const { graph, openContext, maxBodyBytes, explore, persisted } = options
  const apollo = await createApolloHandler(options)
  const parser = createOperationParser({ introspection: explore })
  const router = Router()
  const readBody = [readGraphqlBody(maxBodyBytes), ...(persisted ? [persistedOperations(persisted)] : [])]
  const sse = sseHandler({ graph, openContext, parser })
  const multipart = multipartSubscriptions({ graph, openContext, parser })
  const post = postHandler({ graph, openContext, parser, log: options.log })
  router.options(['/', '/stream'], (_request, response) => {
    response.setHeader('Allow', 'GET, POST, OPTIONS')
    response.status(204).end()
  })
  if (explore) router.get('/graphiql', graphiqlPage)
  router.use('/stream', ...readBody, sse)
  router.use('/', exactly('/'), ...readBody, whenPreferringEvents(sse), multipart, post, apollo.handler)
  const errors = graphqlErrors(options.log)
  router.use(errors)
  return { handler: router, errors, stop: apollo.stop }
}

const resultTypes = ['application/json', 'application/graphql-response+json', 'text/event-stream']

/** Hands on to `handler` who would rather have events. Some clients, as urql, name that type last in every request. */
function whenPreferringEvents(handler: RequestHandler): RequestHandler {
  return (request, response, next) =>
    request.accepts(resultTypes) === 'text/event-stream' ? handler(request, response, next) : next()
}

/** Leaves deeper paths to whoever comes next. */
function exactly(path: string): RequestHandler {
  return (request, _response, next) => next(request.path === path ? undefined : 'router')
}

export type { GraphHttpOptions } from './graph-http-options.ts'
export { type PersistedOperations, readManifest } from './persisted-operations.ts'
