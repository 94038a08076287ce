import type { IncomingHttpHeaders } from 'node:http'
import type { Request, Response } from 'express'
import type { Actor } from '../platform/actor.ts'
import type { RequestContext } from '../platform/context.ts'
import { departureSignal } from '../platform/departure.ts'
import { toAppError } from '../platform/errors.ts'
import type { Graph } from '../platform/graph.ts'
import { type Logger, lazyChild } from '../platform/log.ts'
import { traceIdOf, traceparentOf } from '../platform/trace-context.ts'
import { requestIdOf } from './errors.ts'
import type { RouteAccess } from './route.ts'

/** Finds out who asks; `null` when no credential was sent. @throws AppError on a bad one */
export interface Authenticator {
  authenticate(headers: IncomingHttpHeaders, base: Omit<RequestContext, 'actor'>): Promise<Actor | null>
}

/** Opens the context under which one HTTP request acts. */
export interface RequestScope {
  /** Credentials are not even looked at where `access` is public: a stale token must not keep anybody from a login. */
  open(request: Request, response: Response, access?: RouteAccess): Promise<RequestContext>
  /** Whether the request's credential still lets its sender in. Where that can't be found out now, it does. */
  stillHolds(request: Request, context: RequestContext): Promise<boolean>
}

/** What a scope is made of. */
export interface RequestScopeOptions {
  readonly graph: Graph
  readonly authenticator: Authenticator
  readonly log: Logger
  /** The headers that tell the caller who it is taken for (contract 1.1). */
  identityHeaders(actor: Actor): ReadonlyMap<string, string>
}

export function requestScope({
  graph,
  authenticator,
  log,
  identityHeaders,
}: RequestScopeOptions): RequestScope {
  return {
    async open(request, response, access = 'authenticated') {
      const requestId = requestIdOf(response)
      const traceparent = traceparentOf(request.headers)
      const base = {
        requestId,
        signal: departureSignal(response),
        log: lazyChild(log, { requestId, ...(traceparent ? { traceId: traceIdOf(traceparent) } : {}) }),
        ...(traceparent ? { traceparent } : {}),
        graph,
        client: { ip: request.ip ?? null, userAgent: request.headers['user-agent'] ?? null },
      }
      const actor = access === 'public' ? null : await authenticator.authenticate(request.headers, base)
      if (actor) for (const [name, value] of identityHeaders(actor)) response.setHeader(name, value)
      return { ...base, actor }
    },
    async stillHolds({ headers }, context) {
      try {
        await authenticator.authenticate(headers, context)
        return true
      } catch (thrown) {
        return toAppError(thrown).status !== 401
      }
    },
  }
}
