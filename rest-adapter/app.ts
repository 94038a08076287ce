import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { AppError } from '../platform/errors.ts'
import type { Logger } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics/metrics.ts'
import type { Tracing } from '../platform/tracing/tracing.ts'
import { errorHandler } from './errors.ts'
import type { StoredFiles } from './files/stored-files.ts'
import type { Idempotency } from './idempotency/index.ts'
import { accessLog } from './middleware/access-log.ts'
import { type CorsOptions, corsPolicy } from './middleware/cors.ts'
import { countRequests } from './middleware/count-requests.ts'
import { countedAs } from './middleware/endpoint.ts'
import { inOrder } from './middleware/in-order.ts'
import { requestHead } from './middleware/request-head.ts'
import { requestId } from './middleware/request-id.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { traceRequests } from './middleware/trace-requests.ts'
import { refuseOtherMethods } from './other-methods.ts'
import { countedFailures, type RateLimits } from './rate-limits/index.ts'
import type { RequestScope } from './request-scope.ts'
import type { Route } from './route.ts'
import { type RouteServices, serveRoute } from './serve-route.ts'

/** Handlers under a path, and those of their errors. */
export interface Mount {
  readonly path: string
  readonly handlers: readonly (RequestHandler | ErrorRequestHandler)[]
}

/** What the HTTP face is made of. */
export interface AppOptions {
  readonly scope: RequestScope
  readonly routes: readonly Route[]
  /** What comes before the routes: other spellings of their paths, health. */
  readonly entrance: readonly RequestHandler[]
  readonly cors: CorsOptions
  readonly idempotency: Idempotency
  readonly limits: RateLimits
  /** What routes move beside the graph. */
  readonly files: StoredFiles
  /** What callers without a credential are told to send. */
  readonly credentialsHint: string
  /** The proxies whose word on where a request comes from is taken. */
  readonly trustedProxies: readonly string[]
  readonly maxBodyBytes: number
  readonly log: Logger
  readonly metrics: Metrics
  readonly tracing: Tracing
  /** Handlers that are no routes of the table, by path: the graph itself, Swagger. */
  readonly mounts: readonly Mount[]
}

/** The Express application: what every request goes through, then the table of routes, then the envelope for the rest. */
export function createApp({
  scope,
  routes,
  entrance,
  cors,
  idempotency,
  limits,
  files,
  credentialsHint,
  trustedProxies,
  maxBodyBytes,
  log,
  metrics,
  tracing,
  mounts,
}: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', 'simple')
  app.set('case sensitive routing', true)
  app.set('trust proxy', [...trustedProxies])
  app.use(
    inOrder(
      requestId,
      securityHeaders,
      accessLog(log),
      traceRequests(tracing),
      countRequests(metrics),
      corsPolicy(cors),
      limits.admitAddress,
      requestHead(maxBodyBytes),
    ),
  )
  for (const { path, handlers } of mounts) app.use(path, countedAs(path), ...handlers)
  app.use(...entrance)
  const services: RouteServices = { scope, maxBodyBytes, idempotency, limits, files, credentialsHint, log }
  for (const route of routes) app[route.method](route.path, serveRoute(route, services))
  for (const [path, served] of Map.groupBy(routes, (route) => route.path))
    app.all(path, refuseOtherMethods(served.map(({ method }) => method)))
  app.use(() => {
    throw new AppError('route_not_found', 'There is no such route.')
  })
  app.use(countedFailures(limits), errorHandler(log))
  return app
}
