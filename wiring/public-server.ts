import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Express } from 'express'
import { AppError } from '../platform/errors.ts'
import { newId } from '../platform/ids.ts'
import { createServer, STATUS_CODES } from '../platform/node-http.ts'
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
  // The app refuses what lacks one, in the envelope.
  requireHostHeader: false,
  noDelay: true,
}

/**
 * An HTTP server for the outside. What it can't read as HTTP gets the envelope too.
 * @param app looks at `Host` and `Expect` itself (`requestHead`)
 */
export function createPublicServer(app: Express, options: ServerOptions = {}): Server {
  const server = createServer({ ...bounds, ...options }, app)
  const handOn = (request: IncomingMessage, response: ServerResponse) =>
    void server.emit('request', request, response)
  server.on('checkContinue', handOn)
  server.on('checkExpectation', handOn)
  const isAnswering = followAnswers(server)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return
    if (isAnswering(socket)) socket.destroy()
    else socket.end(refusal(unreadable(error.code)))
  })
  return server
}

/** @returns whether an answer has begun to go out on a connection: what is written beside it would become a part of it */
function followAnswers(server: Server): (socket: Duplex) => boolean {
  const open = new WeakMap<Duplex, Set<ServerResponse>>()
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const responses = open.get(socket) ?? new Set()
    open.set(socket, responses.add(response))
    response.once('close', () => responses.delete(response))
  })
  return (socket) => [...(open.get(socket) ?? [])].some(({ headersSent }) => headersSent)
}

function refusal(failure: AppError): string {
  const requestId = newId('request')
  const body = JSON.stringify(errorEnvelope(failure, requestId))
  return (
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\nX-Request-Id: ${requestId}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  )
}

function unreadable(code: string | undefined): AppError {
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers_too_large', 'The headers are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request_timeout', 'The request did not arrive in time.')
  return new AppError('invalid_parameter', 'This is not a well-formed HTTP request.')
}
