import { createServer, type Server, type ServerOptions, STATUS_CODES } from 'node:http'
import type { Express } from 'express'
import { AppError } from '../platform/errors.ts'
import { newId } from '../platform/ids.ts'
import { errorEnvelope } from '../rest-adapter/errors.ts'

/**
 * Strangers connect here. A head must be there within 20 s and a whole request within 5 minutes, or the connection is
 * taken back. Clients keep connections longer than proxies do, so that no proxy sends a request into a closing one.
 */
const bounds: ServerOptions = {
  keepAliveTimeout: 65_000,
  headersTimeout: 20_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
  requireHostHeader: true,
  noDelay: true,
}

/** An HTTP server for the outside. What it can't read as HTTP gets the envelope too. */
export function createPublicServer(app: Express, options: ServerOptions = {}): Server {
  const server = createServer({ ...bounds, ...options }, app)
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
