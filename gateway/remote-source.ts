import { type ExecutionResult, GraphQLError } from 'graphql'
import { Agent, fetch } from 'undici'
import type { Actor } from '../platform/actor.ts'
import type { RequestContext } from '../platform/context.ts'
import { AppError, toAppError, toGraphQLError } from '../platform/errors.ts'
import type { InternalTokens } from '../platform/internal-token.ts'
import { endWithErrors } from './event-stream.ts'
import type { GraphSource, SourceRequest } from './graph-source.ts'
import { RemoteStream } from './remote-stream.ts'

/** A subgraph that runs in another process. */
export interface RemoteSubgraph {
  readonly name: string
  /** Its base URL; the graph answers at `/graphql`, subscriptions at `/graphql/stream`. */
  readonly url: string
  readonly tokens: InternalTokens
}

/** Asks a subgraph over HTTP, and over graphql-sse for subscriptions, with the internal token of the request's actor. */
export function remoteSource({ name, url, tokens }: RemoteSubgraph): GraphSource {
  const agent = new Agent({ connections: null, bodyTimeout: 0, headersTimeout: 0 })
  const { origin, pathname } = new URL(url)
  const path = pathname.replace(/\/$/, '')
  const minted = new WeakMap<Actor, Promise<string>>()
  const tokenFor = (actor: Actor | null): Promise<string> => {
    const known = actor && minted.get(actor)
    if (known) return known
    const fresh = tokens.mint(actor)
    if (actor) minted.set(actor, fresh)
    return fresh
  }

  const post = async (accept: string, { text, operationName, variables, context }: SourceRequest) => ({
    method: 'POST' as const,
    signal: context.signal,
    headers: {
      ...traceHeaders(context),
      authorization: `Bearer ${await tokenFor(context.actor)}`,
      'content-type': 'application/json',
      accept,
    },
    body: JSON.stringify({ query: text, operationName, variables }),
  })

  return {
    async execute(request) {
      try {
        // `fetch` would cost several times as much
        const response = await agent.request({
          ...(await post('application/graphql-response+json', request)),
          origin,
          path: `${path}/graphql`,
        })
        return revived((await response.body.json()) as ExecutionResult)
      } catch (error) {
        return { errors: [unreachable(name, error, request.context)] }
      }
    },

    async subscribe(request) {
      const { context } = request
      try {
        const response = await fetch(`${url}/graphql/stream`, {
          ...(await post('text/event-stream', request)),
          dispatcher: agent,
        })
        const streams = response.headers.get('content-type')?.startsWith('text/event-stream')
        if (!streams || !response.body) return revived((await response.json()) as ExecutionResult)
        const stream = new RemoteStream(response.body as ReadableStream<Uint8Array>)
        return endWithErrors(telling(stream, name, context), revived, context)
      } catch (error) {
        return { errors: [unreachable(name, error, context)] }
      }
    },

    close: () => agent.close(),
  }
}

function traceHeaders({ requestId, traceparent, client }: RequestContext): Record<string, string> {
  return {
    'x-request-id': requestId,
    ...(traceparent ? { traceparent } : {}),
    ...(client.ip ? { 'x-client-ip': client.ip } : {}),
    ...(client.userAgent ? { 'x-client-user-agent': client.userAgent } : {}),
  }
}

/** A link that breaks in mid-stream is the platform's fault, told as such; a client that left is not told anything. */
function telling(
  stream: RemoteStream,
  name: string,
  context: RequestContext,
): AsyncIterableIterator<ExecutionResult> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        return await stream.next()
      } catch (error) {
        throw toAppError(unreachable(name, error, context))
      }
    },
    return: () => stream.return(),
  }
}

/** Errors come as plain objects over the wire; the gateway works on `GraphQLError`s. */
function revived(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result
  return {
    ...result,
    errors: result.errors.map(
      ({ message, path, extensions }) =>
        new GraphQLError(message, { path: path ?? null, extensions: extensions ?? {} }),
    ),
  }
}

function unreachable(name: string, cause: unknown, { signal, log }: RequestContext): GraphQLError {
  if (signal.aborted) {
    return toGraphQLError(
      new AppError('client_closed_request', 'The client left before the answer was ready.'),
    )
  }
  log.error({ err: cause, subgraph: name }, 'a subgraph could not be reached')
  return toGraphQLError(
    new AppError('service_unavailable', 'A part of the platform is not available at the moment.', { cause }),
  )
}
