import type { Server } from 'node:http'
import { createGraphHttp } from '../gateway/http/index.ts'
import type { FederatedGraph } from '../gateway/index.ts'
import { AppError } from '../platform/errors.ts'
import type { HealthCheck } from '../rest-adapter/health.ts'
import { createAuthenticator, identityHeaders } from '../rest-adapter/middleware/authenticate.ts'
import { graphCharge, rateLimits } from '../rest-adapter/rate-limits/index.ts'
import { requestScope } from '../rest-adapter/request-scope.ts'
import { routes } from '../rest-adapter/routes/index.ts'
import { type EdgeFace, edgeFaces } from './edge-faces.ts'
import type { EdgeStores } from './edge-stores.ts'
import { closeServer, listen } from './http-server.ts'
import { loadPersistedOperations } from './persisted-operations.ts'
import { createPublicServer } from './public-server.ts'
import { rateLimitSettings } from './rate-limit-settings.ts'
import type { SharedServices } from './services.ts'
import type { Settings } from './settings.ts'

/** The public HTTP face: REST adapter and gateway together. */
export interface EdgeServer {
  readonly port: number
  /** Lets running requests end, then cuts what is left. */
  stop(): Promise<void>
}

/**
 * Serves a graph. The ports open last.
 * @param dependencies what readiness asks besides the database and the notification link
 */
export async function startEdgeServer(
  graph: FederatedGraph,
  stores: EdgeStores,
  services: Pick<
    SharedServices,
    'database' | 'notifications' | 'objects' | 'links' | 'log' | 'metrics' | 'tracing'
  >,
  settings: Settings,
  dependencies: readonly HealthCheck[] = [],
): Promise<EdgeServer> {
  const { platform } = settings
  const { log, metrics, notifications, database } = services
  const persisted = loadPersistedOperations(platform)
  const authenticator = createAuthenticator({ graph: graph.trusted, notifications, log, metrics })
  const scope = requestScope({ graph: graph.trusted, authenticator, log, identityHeaders })
  const limits = rateLimits({ ...rateLimitSettings(platform), store: stores.rates })
  const draining = new AbortController()
  const graphHttp = createGraphHttp({
    graph,
    draining: draining.signal,
    openContext: (request, response) => scope.open(request, response),
    stillHolds: (request, context) => scope.stillHolds(request, context),
    maxBodyBytes: platform.MAX_BODY_BYTES,
    explore: platform.ENVIRONMENT !== 'production',
    persisted,
    charge: limits.active ? graphCharge(limits, routes) : null,
    log,
  })
  const checks: HealthCheck[] = [
    { name: 'database', check: () => database.ping() },
    { name: 'notifications', check: async () => assertConnected(notifications.connected) },
    ...dependencies,
  ]
  const faces = edgeFaces({
    graph,
    graphHttp,
    scope,
    authenticator,
    stores,
    limits,
    files: services,
    checks,
    log,
    metrics,
    tracing: services.tracing,
    settings,
  })
  const servers: Server[] = []
  const stop = async () => {
    const graceMs = platform.SHUTDOWN_GRACE
    draining.abort()
    await Promise.all([...servers.map((server) => closeServer(server, graceMs)), stores.drain(graceMs)])
    await graphHttp.stop()
    authenticator.close()
  }
  try {
    for (const face of faces) servers.push(await serve(face, platform.HOST))
  } catch (error) {
    await stop()
    throw error
  }
  return { port: platform.PORT, stop }
}

async function serve({ app, port, portVariable }: EdgeFace, host: string): Promise<Server> {
  const server = createPublicServer(app)
  await listen(server, port, host, portVariable)
  return server
}

function assertConnected(connected: boolean): void {
  if (!connected) throw new AppError('service_unavailable', 'The notification link is down.')
}
