import type { Express } from 'express'
import type { GraphHttp } from '../gateway/http/index.ts'
import type { FederatedGraph } from '../gateway/index.ts'
import { mediaMaxBytes } from '../platform/config.ts'
import { type AppOptions, createApp } from '../rest-adapter/app.ts'
import { directHealth } from '../rest-adapter/direct/direct-health.ts'
import { type DirectService, directServices, routesOf } from '../rest-adapter/direct/direct-services.ts'
import { jwtOnly } from '../rest-adapter/direct/jwt-only.ts'
import { forNamedUsers, memoryService, serviceKeyOnly } from '../rest-adapter/direct/memory-service.ts'
import { createThumbnails } from '../rest-adapter/files/thumbnails.ts'
import { type HealthCheck, healthRoutes } from '../rest-adapter/health.ts'
import { idempotency, keyedMount } from '../rest-adapter/idempotency/index.ts'
import { identityHeaders } from '../rest-adapter/middleware/authenticate.ts'
import { directPaths, pathFamilies } from '../rest-adapter/middleware/path-families.ts'
import { countingScope, limitedGraph, type RateLimits } from '../rest-adapter/rate-limits/index.ts'
import { type Authenticator, type RequestScope, requestScope } from '../rest-adapter/request-scope.ts'
import { routes } from '../rest-adapter/routes/index.ts'
import { swaggerUi } from '../rest-adapter/swagger.ts'
import type { EdgeStores } from './edge-stores.ts'
import type { SharedServices } from './services.ts'
import type { Settings } from './settings.ts'

/** One port of the edge and what answers there. */
export interface EdgeFace {
  readonly app: Express
  readonly port: number
  /** The variable that sets the port. */
  readonly portVariable: string
}

/** What the faces are made of. */
export interface EdgeFaceOptions {
  readonly graph: FederatedGraph
  readonly graphHttp: GraphHttp
  readonly scope: RequestScope
  readonly authenticator: Authenticator
  readonly stores: EdgeStores
  readonly limits: RateLimits
  /** The bytes behind the graph, and the links to them. */
  readonly files: Pick<SharedServices, 'objects' | 'links'>
  readonly checks: readonly HealthCheck[]
  readonly log: SharedServices['log']
  readonly metrics: SharedServices['metrics']
  readonly tracing: SharedServices['tracing']
  readonly settings: Settings
}

/** The gateway's face, and where they are switched on those of the single services. */
export function edgeFaces(options: EdgeFaceOptions): readonly EdgeFace[] {
  const { stores, limits, files, log, metrics, tracing, settings } = options
  const { platform } = settings
  const shared: SharedParts = {
    idempotency: idempotency({ store: stores.idempotency, streams: stores.streams }),
    limits,
    files: {
      bytes: files.objects,
      links: files.links,
      thumbnails: createThumbnails(files.objects),
      maxBytes: mediaMaxBytes(platform),
      proxiesDownloads: platform.MEDIA_PROXY_DOWNLOAD,
    },
    trustedProxies: platform.TRUSTED_PROXIES,
    cors: {
      origins: platform.CORS_ALLOWED_ORIGINS,
      allowSandbox: platform.ENVIRONMENT !== 'production',
    },
    maxBodyBytes: platform.MAX_BODY_BYTES,
    log,
    metrics,
    tracing,
  }
  const direct = platform.DIRECT_PORTS ? directServices : []
  return [
    gatewayFace(options, shared),
    ...direct.map((service) => directFace(service, options, shared)),
    ...memoryFaces(options, shared),
  ]
}

type SharedParts = Omit<AppOptions, 'scope' | 'routes' | 'entrance' | 'mounts' | 'credentialsHint'>

function gatewayFace(options: EdgeFaceOptions, shared: SharedParts): EdgeFace {
  const { graphHttp, checks, settings } = options
  const { limits } = shared
  const scope = countingScope(options.scope, limits)
  const graphql = [
    // Who asks is found out here once more: only where it matters.
    ...(limits.active ? [limitedGraph(scope, limits)] : []),
    keyedMount(graphHttp.handler, { scope, ...shared }),
    graphHttp.errors,
  ]
  const app = createApp({
    ...shared,
    scope,
    routes,
    credentialsHint: 'Send a bearer token (Authorization) or an API key (X-API-Key).',
    entrance: [pathFamilies, healthRoutes(checks)],
    mounts: [{ path: '/graphql', handlers: graphql }, ...swagger(settings)],
  })
  return { app, port: settings.platform.PORT, portVariable: 'PORT' }
}

function swagger({ platform, publicUrl }: Settings): AppOptions['mounts'] {
  if (!platform.ENABLE_SWAGGER) return []
  return [{ path: '/api/swagger', handlers: [swaggerUi(routes, publicUrl)] }]
}

/** Contract 8.10: a service's own routes, for callers with a token. */
function directFace(service: DirectService, options: EdgeFaceOptions, shared: SharedParts): EdgeFace {
  const { graph, authenticator, checks, log, settings } = options
  const tokens = jwtOnly(authenticator)
  const scope = requestScope({ graph: graph.trusted, authenticator: tokens, log, identityHeaders })
  const app = createApp({
    ...shared,
    scope: countingScope(scope, shared.limits),
    routes: routesOf(service, routes),
    credentialsHint: 'Send a bearer token (Authorization): API keys are taken at the gateway only.',
    entrance: [directPaths, directHealth(service, checks)],
    mounts: [],
  })
  const { portVariable } = service
  return { app, port: settings.platform[portVariable], portVariable }
}

/** Contract 8.14: memory for other services, which know a key and name the user. Closed where there is no key. */
function memoryFaces(options: EdgeFaceOptions, shared: SharedParts): readonly EdgeFace[] {
  const { scope, checks, settings } = options
  const { DIRECT_PORTS, MEMORY_TOOLS_API_KEY: key } = settings.platform
  if (!DIRECT_PORTS || key === undefined) return []
  const app = createApp({
    ...shared,
    scope: countingScope(scope, shared.limits),
    routes: forNamedUsers(routesOf(memoryService, routes)),
    credentialsHint: 'Send MEMORY_TOOLS_API_KEY as a bearer token.',
    entrance: [directPaths, directHealth(memoryService, checks), serviceKeyOnly(key)],
    mounts: [],
  })
  const { portVariable } = memoryService
  return [{ app, port: settings.platform[portVariable], portVariable }]
}
