import { type RequestHandler, Router } from 'express'
import { chargedClients } from './charged-clients.ts'
import { graphqlErrors } from './error-answer.ts'
import type { ApolloHandler, GraphHttp, GraphHttpOptions } from './graph-http-options.ts'
import { graphiqlPage } from './graphiql-page.ts'
import { multipartSubscriptions } from './multipart-subscriptions.ts'
import { createOperationParser, refuseCrowds } from './operation-parser.ts'
import { persistedOperations } from './persisted-operations.ts'
import { postHandler } from './post-handler.ts'
import { readGraphqlBody } from './read-body.ts'
import { sseHandler } from './sse-handler.ts'

/** The graph over HTTP. */
export function createGraphHttp(given: GraphHttpOptions): GraphHttp {
  const { openContext, stillHolds, maxBodyBytes, explore, persisted, charge, draining } = given
  const clients = charge ? chargedClients(given.graph.clients, charge) : given.graph.clients
  const graph = { ...given.graph, clients }
  const options = { ...given, graph }
  const apollo = whenNeeded(options)
  const parser = createOperationParser({ introspection: explore })
  const router = Router()
  const readBody = [
    readGraphqlBody(maxBodyBytes),
    ...(persisted ? [persistedOperations(persisted)] : []),
    refuseCrowds(parser),
  ]
  const sse = sseHandler({ graph, openContext, stillHolds, parser, draining })
  const multipart = multipartSubscriptions({ graph, openContext, stillHolds, parser, draining })
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

/** Apollo Server, started by the first request that gets as far: with its packages it is 10 MB, and most never do. */
function whenNeeded(options: GraphHttpOptions): ApolloHandler {
  let starting: Promise<ApolloHandler> | undefined
  const start = () => {
    starting ??= import('./apollo-handler.ts').then((module) => module.createApolloHandler(options))
    return starting
  }
  return {
    handler: async (request, response, next) => (await start()).handler(request, response, next),
    stop: async () => (await starting)?.stop(),
  }
}

/** Leaves deeper paths to whoever comes next. */
function exactly(path: string): RequestHandler {
  return (request, _response, next) => next(request.path === path ? undefined : 'router')
}

export type { GraphHttp, GraphHttpOptions } from './graph-http-options.ts'
export { type PersistedOperations, readManifest } from './persisted-operations.ts'
