import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default'
import { expressMiddleware } from '@as-integrations/express5'
import type { RequestHandler, Response } from 'express'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import type { RequestContext } from '../../platform/context.ts'
import { toAppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { markTransientErrors } from '../../platform/unrepeatable.ts'
import type { FederatedGraph } from '../index.ts'
import type { ApolloHandler, GraphHttpOptions } from './graph-http-options.ts'
import { okForRequestErrors } from './ok-for-request-errors.ts'
import { maxTokens } from './operation-parser.ts'
import { presentError } from './present-error.ts'

type ApolloGateway = NonNullable<ConstructorParameters<typeof ApolloServer<RequestContext>>[0]['gateway']>

/**
 * A page of another site can't send these without a browser's asking first. Credentials come in headers alone: whoever
 * could send them from a form has none.
 */
const askedForFirst = ['x-apollo-operation-name', 'apollo-require-preflight', 'authorization', 'x-api-key']

/** Apollo Server over our graph: the protocol is its own, the execution ours. */
export async function createApolloHandler({
  graph,
  openContext,
  explore,
  log,
}: GraphHttpOptions): Promise<ApolloHandler> {
  const responses = new WeakMap<object, Response>()
  const server = new ApolloServer<RequestContext>({
    gateway: gatewayInterface(graph, await graph.apiSchema(), responses),
    introspection: explore,
    hideSchemaDetailsFromClientErrors: !explore,
    parseOptions: { maxTokens },
    includeStacktraceInErrorResponses: false,
    allowBatchedHttpRequests: false,
    csrfPrevention: { requestHeaders: askedForFirst },
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => presentError(formatted, error, log),
    plugins: [
      explore
        ? ApolloServerPluginLandingPageLocalDefault({ embed: true, footer: false })
        : ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      okForRequestErrors as ApolloServerPlugin<RequestContext>,
    ],
    logger: silentLogger,
  })
  await server.start()
  const handler: RequestHandler = expressMiddleware(server, {
    context: async ({ req, res }) => {
      const context = await openContext(req, res).catch((thrown: unknown) => refuse(thrown, log))
      responses.set(context, res)
      return context
    },
  })
  return { handler, stop: () => server.stop() }
}

/** A bad credential is refused with its own status before any field runs. */
function refuse(thrown: unknown, log: Logger): never {
  const failure = toAppError(thrown)
  if (failure.code === 'internal')
    log.error({ err: failure.cause ?? failure }, 'a caller could not be identified')
  throw new GraphQLError(failure.message, {
    extensions: { ...failure.extensions, http: { status: failure.status } },
  })
}

function gatewayInterface(
  { supergraphSdl, clients }: FederatedGraph,
  apiSchema: GraphQLSchema,
  responses: WeakMap<object, Response>,
): ApolloGateway {
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema, coreSupergraphSdl: supergraphSdl })
      return () => undefined
    },
    async load() {
      return {
        executor: async ({ document, request, context }) => {
          const result = await clients.execute({
            document,
            operationName: request.operationName ?? undefined,
            variables: request.variables ?? {},
            context: context as RequestContext,
          })
          const response = responses.get(context)
          if (response) markTransientErrors(response, result.errors)
          return result as never
        },
      }
    },
    stop: async () => undefined,
  }
}

/** Apollo's own messages tell nothing that our logs lack. */
const ignore = () => undefined
const silentLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
