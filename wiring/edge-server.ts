import { createServer, type Server, STATUS_CODES } from 'node:http'
import type { Express } from 'express'
import { createGraphHttp } from '../gateway/http/index.ts'
import type { FederatedGraph } from '../gateway/index.ts'
import { AppError } from '../platform/errors.ts'
import { newId } from '../platform/ids.ts'
import { createApp } from '../rest-adapter/app.ts'
import { errorEnvelope } from '../rest-adapter/errors.ts'
import type { HealthCheck } from '../rest-adapter/health.ts'
import { createAuthenticator, identityHeaders } from '../rest-adapter/middleware/authenticate.ts'
import { requestScope } from '../rest-adapter/request-scope.ts'
import { routes } from '../rest-adapter/routes/index.ts'
import { swaggerUi } from '../rest-adapter/swagger.ts'
import { closeServer, listen } from './http-server.ts'
import type { SharedServices } from './services.ts'
import type { Settings } from './settings.ts'

/** The public HTTP face: REST adapter and gateway together. */
export interface EdgeServer {
  readonly port: number
  /** Lets running requests end, then cuts what is left. */
  stop(): Promise<void>
}

/**
 * Serves a graph. The port opens last.
 * @param dependencies what readiness asks besides the database and the notification link
 */
export async function startEdgeServer(
  graph: FederatedGraph,
  services: Pick<SharedServices, 'database' | 'notifications' | 'log'>,
  settings: Settings,
  dependencies: readonly HealthCheck[] = [],
): Promise<EdgeServer> {
  const { platform } = settings
  const { log, notifications, database } = services
  const authenticator = createAuthenticator({ graph: graph.trusted, notifications, log })
  const scope = requestScope({ graph: graph.trusted, authenticator, log, identityHeaders })
  const explore = platform.ENVIRONMENT !== 'production'
  const graphHttp = createGraphHttp({
    graph,
    openContext: (request, response) => scope.open(request, response),
    maxBodyBytes: platform.MAX_BODY_BYTES,
    explore,
    log,
  })
  const app = createApp({
    scope,
    routes,
    healthChecks: [
      { name: 'database', check: () => database.ping() },
      { name: 'notifications', check: async () => assertConnected(notifications.connected) },
      ...dependencies,
    ],
    cors: { origins: platform.CORS_ALLOWED_ORIGINS, allowSandbox: explore },
    maxBodyBytes: platform.MAX_BODY_BYTES,
    log,
    mounts: [
      { path: '/graphql', handler: graphHttp.handler },
      ...(platform.ENABLE_SWAGGER
        ? [{ path: '/api/swagger', handler: swaggerUi(routes, settings.publicUrl) }]
        : []),
    ],
  })
  const server = httpServer(app)
  const port = await listen(server, platform.PORT, platform.HOST).catch(async (error: unknown) => {
    await graphHttp.stop()
    authenticator.close()
    throw error
  })
  return {
    port,
    async stop() {
      await closeServer(server)
      await graphHttp.stop()
      authenticator.close()
    },
  }
}

function assertConnected(connected: boolean): void {
  if (!connected) throw new AppError('service_unavailable', 'The notification link is down.')
}

function httpServer(app: Express): Server {
  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 20_000, noDelay: true }, app)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return
    const failure = unreadable(error.code)
    const requestId = newId('request')
    const body = JSON.stringify(errorEnvelope(failure, requestId))
    socket.end(
      `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\nX-Request-Id: ${requestId}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  })
  return server
}

function unreadable(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers_too_large', 'The headers are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request_timeout', 'The request did not arrive in time.')
  return new AppError('invalid_parameter', 'This is not a well-formed HTTP request.')
}
