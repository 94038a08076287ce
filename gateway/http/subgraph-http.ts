import { ApolloServer } from '@apollo/server'
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { expressMiddleware } from '@as-integrations/express5'
import express, { type Express, type Request, type Response } from 'express'
import type { GraphQLFormattedError } from 'graphql'
import type { RequestContext } from '../../platform/context.ts'
import { departureSignal } from '../../platform/departure.ts'
import { AppError, toAppError } from '../../platform/errors.ts'
import type { Graph } from '../../platform/graph.ts'
import { newId } from '../../platform/ids.ts'
import type { InternalTokens } from '../../platform/internal-token.ts'
import type { Logger } from '../../platform/log.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { traceIdOf, traceparentOf } from '../../platform/trace-context.ts'
import type { Tracing } from '../../platform/tracing/tracing.ts'
import { type LocalSubgraph, localSource } from '../local-source.ts'
import { distinctStreams } from './distinct-streams.ts'
import { graphqlErrors } from './error-answer.ts'
import { endingWith, isLive } from './live-operations.ts'
import { createOperationParser } from './operation-parser.ts'
import { readGraphqlBody } from './read-body.ts'

/** What one subgraph is served with in a process of its own. */
export interface SubgraphHttpOptions {
  /** Of the subgraph, for its spans. */
  readonly name: string
  readonly subgraph: LocalSubgraph
  /** The graph as this process reaches it: itself here, its siblings over HTTP. */
  readonly graph: Graph
  readonly tokens: InternalTokens
  readonly log: Logger
  readonly tracing: Tracing
  readonly maxBodyBytes: number
  /** Aborts when the process is about to stop: subscriptions without an end of their own end then. */
  readonly draining: AbortSignal
  /** Rejects when the database can't be asked. */
  ready(): Promise<void>
}

/** A subgraph over HTTP, for the platform's own processes: every request needs the internal token, nothing else is believed. */
export async function createSubgraphHttp(options: SubgraphHttpOptions): Promise<Express> {
  const { subgraph, maxBodyBytes, ready, log } = options
  const openContext = contextOpener(options)
  const server = new ApolloServer<SubgraphContext>({
    schema: subgraph.schema,
    includeStacktraceInErrorResponses: false,
    formatError: (formatted, error) => maskedError(formatted, error, options.log),
    csrfPrevention: false,
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
    ],
  })
  await server.start()

  const app = express()
  app.disable('x-powered-by')
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', async (_request, response) => {
    const isReady = await ready().then(
      () => true,
      (error: unknown) => {
        log.warn({ err: error }, 'the subgraph is not ready')
        return false
      },
    )
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'unavailable' })
  })
  app.use('/graphql', readGraphqlBody(maxBodyBytes))
  app.use('/graphql/stream', streamHandler(options, openContext))
  app.use('/graphql', async (request, response, next) => {
    const context = await openContext(request, response)
    const handler = expressMiddleware(server, { context: async () => subgraph.createContext(context) })
    await handler(request, response, next)
  })
  app.use(graphqlErrors(options.log))
  return app
}

function contextOpener(options: SubgraphHttpOptions) {
  const { tokens, graph, log } = options
  return async (request: Request, response: Response): Promise<RequestContext> => {
    const signal = departureSignal(response)
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (!token) throw new AppError('missing_credentials', 'Subgraphs answer only to the platform itself.')
    const actor = await tokens.verify(token)
    const requestId = header(request, 'x-request-id') ?? newId('request')
    const traceparent = spanOf(request, response, options)
    return {
      actor,
      requestId,
      signal,
      log: log.child({ requestId, ...(traceparent ? { traceId: traceIdOf(traceparent) } : {}) }),
      ...(traceparent ? { traceparent } : {}),
      graph,
      client: { ip: header(request, 'x-client-ip'), userAgent: header(request, 'x-client-user-agent') },
    }
  }
}

/** Begins the span of a request; what is done for it happens under that, or under the caller's where nothing is traced. */
function spanOf(request: Request, response: Response, { tracing, name }: SubgraphHttpOptions): string | null {
  const parent = traceparentOf(request.headers)
  const span = tracing.begin(`subgraph ${name}`, { kind: 'server', parent })
  response.on('close', () => span.end())
  return span.traceparent ?? parent
}

function header({ headers }: Request, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' ? value : null
}

function streamHandler(
  { subgraph, draining }: SubgraphHttpOptions,
  openContext: (request: Request, response: Response) => Promise<RequestContext>,
) {
  const source = localSource(subgraph)
  const parser = createOperationParser({ introspection: true })
  const contexts = new WeakMap<Request, RequestContext>()
  const handler = distinctStreams(async (request, { query, operationName, variables }) => {
    const context = contexts.get(request)
    if (!context) throw new Error('a graphql-sse request has no context')
    const document = parser.parse(query)
    const opened = await source.subscribe({ document, text: query, operationName, variables, context })
    const live = isLive(subgraph.schema, document, operationName)
    return live && Symbol.asyncIterator in opened ? endingWith({ draining }, opened) : opened
  })
  return async (request: Request, response: Response) => {
    contexts.set(request, await openContext(request, response))
    await handler(request, response)
  }
}

function maskedError(formatted: GraphQLFormattedError, error: unknown, log: Logger): GraphQLFormattedError {
  const failure = toAppError(error)
  if (failure.code === 'internal')
    log.error({ err: failure.cause ?? failure, path: formatted.path }, 'a resolver failed')
  return {
    message: failure.message,
    ...(formatted.path ? { path: formatted.path } : {}),
    extensions: failure.extensions,
  }
}
