import type { Request, RequestHandler, Response } from 'express'
import type { RequestContext } from '../platform/context.ts'
import { departureSignal } from '../platform/departure.ts'
import { AppError } from '../platform/errors.ts'
import type { Logger } from '../platform/log.ts'
import { validated } from '../platform/validate.ts'
import { bodyReader, bodyValue, smallBodyBytes } from './body.ts'
import { errorHandler } from './errors.ts'
import type { StoredFiles } from './files/stored-files.ts'
import { type Idempotency, keyedRequest } from './idempotency/index.ts'
import { callerOf, type RateLimits } from './rate-limits/index.ts'
import type { RequestScope } from './request-scope.ts'
import type { Route } from './route.ts'

/** What every route is served with. */
export interface RouteServices {
  readonly scope: RequestScope
  readonly maxBodyBytes: number
  readonly idempotency: Idempotency
  readonly limits: RateLimits
  readonly files: StoredFiles
  /** What callers without a credential are told to send. */
  readonly credentialsHint: string
  readonly log: Logger
}

/** A route as an Express handler: who asks, what was sent, then the route's own work. Failures go to the error handler. */
export function serveRoute(route: Route, services: RouteServices): RequestHandler {
  const { scope, maxBodyBytes, idempotency, limits, files, credentialsHint } = services
  const readBody = bodyReader(route.bodyLimit === 'large' ? maxBodyBytes : smallBodyBytes)
  const tellFailure = errorHandler(services.log)
  return async (request, response) => {
    const context = await scope.open(request, response, route.access)
    if (route.access === 'authenticated' && !context.actor)
      throw new AppError('missing_credentials', credentialsHint)
    if (limits.active) await limits.admitCaller(route, callerOf(context, response), response)
    const received =
      route.receive && isForm(request) ? await route.receive({ request, context, files }) : null
    const body = received ? null : route.body
    const rawBody = body ? await readBody(request, response) : Buffer.from(received?.said ?? '')
    const call: Call = { request, body, form: received?.form ?? null, rawBody, context, files }
    const mayBeKeyed = route.method === 'post' && context.actor !== null
    const keyed = mayBeKeyed ? keyedRequest(request, context.actor, rawBody) : null
    if (!keyed) return runRoute(route, call, response)
    await idempotency.serve({
      keyed,
      request,
      response,
      signal: context.signal,
      async run(detached) {
        try {
          const signal = departureSignal(detached)
          await runRoute(route, { ...call, context: { ...context, signal } }, detached)
        } catch (error) {
          tellFailure(error, request, detached, () => undefined)
        }
      },
    })
  }
}

/** A request that has been let in. */
interface Call {
  readonly request: Request
  /** What its body is held against; null where the route has none, or a form came in its place. */
  readonly body: Route['body']
  readonly form: unknown
  readonly rawBody: Buffer
  readonly context: RequestContext
  readonly files: StoredFiles
}

function runRoute(
  route: Route,
  { request, body, form, rawBody, context, files }: Call,
  response: Response,
): Promise<void> {
  return route.run(
    {
      params: pathParameters(request),
      query: route.query ? validated(route.query, request.query) : request.query,
      body: body ? validated(body, withAliases(bodyValue(rawBody, route), route.aliases)) : undefined,
      form,
      rawBody,
      request,
      context,
      files,
    },
    response,
  )
}

function isForm({ headers }: Request): boolean {
  return /^multipart\/form-data\s*(;|$)/i.test(headers['content-type'] ?? '')
}

/** Express gives a wildcard as its segments; ids with slashes are one text. */
function pathParameters({ params }: Request): Record<string, string> {
  const entries = Object.entries(params as Record<string, string | string[]>)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join('/') : value]),
  )
}

function withAliases(body: unknown, aliases: Readonly<Record<string, string>>): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const renamed: Record<string, unknown> = { ...body }
  for (const [alias, name] of Object.entries(aliases)) {
    if (!(alias in renamed)) continue
    if (!(name in renamed)) renamed[name] = renamed[alias]
    delete renamed[alias]
  }
  return renamed
}
