import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { StartFailure } from './start-failure.ts'

/** What goes on at each listening server: its connections, and the answers that are not out yet. */
const traffic = new WeakMap<Server, { sockets: Set<Socket>; responses: Set<ServerResponse> }>()

/** @throws StartFailure with a sentence for a busy port or a missing right */
export async function listen(
  server: Server,
  port: number,
  host: string,
  portVariable = 'PORT',
): Promise<number> {
  follow(server)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(listenFailure(error, port, host, portVariable))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

function listenFailure(
  error: NodeJS.ErrnoException,
  port: number,
  host: string,
  portVariable: string,
): Error {
  if (error.code === 'EADDRINUSE') {
    return new StartFailure(
      `Port ${port} is in use: stop the program that has it, or start with another, as ${portVariable}=${port + 1} npm start.`,
    )
  }
  if (error.code === 'EACCES') {
    return new StartFailure(
      `This user may not listen on port ${port}: choose one above 1023, as ${portVariable}=8000 npm start.`,
    )
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new StartFailure(
      `HOST=${host} is no address of this machine: use 127.0.0.1, or 0.0.0.0 for all of its addresses.`,
    )
  }
  return error
}

function follow(server: Server): void {
  const sockets = new Set<Socket>()
  const responses = new Set<ServerResponse>()
  traffic.set(server, { sockets, responses })
  server.prependListener('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    responses.add(response)
    response.once('close', () => responses.delete(response))
  })
}

/**
 * Takes nothing new, lets what runs end, then cuts it. Each connection ends with its answer.
 * @param graceMs how long what runs may take
 */
export async function closeServer(server: Server, graceMs = 10_000): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const { sockets = [], responses = [] } = traffic.get(server) ?? {}
  for (const response of responses) endConnectionAfter(response)
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) =>
    endConnectionAfter(response),
  )
  // Node counts a connection that never sent a byte, as browsers open ahead of need, among the busy ones.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  const cut = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(cut)
}

function endConnectionAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
  const { socket } = response
  response.once('finish', () => socket?.destroySoon())
}
