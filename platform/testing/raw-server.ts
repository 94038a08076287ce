import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

/** A server that speaks as badly as its test wants. */
export interface RawServer {
  readonly port: number
  /** Bytes that it has sent so far, on all connections. */
  readonly bytesSent: number
  close(): Promise<void>
}

/**
 * Listens on a free port of 127.0.0.1. `onRequest` writes what it likes, each time that the head of a request, and a body
 * of less than a packet, has come in on a connection.
 */
export async function startRawServer(onRequest: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    // What happens to a client that is let down is the test's business.
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      if (bytes.includes('\r\n\r\n')) onRequest(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get bytesSent() {
      return [...sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Writes for as long as somebody reads. */
export function writeForEver(socket: Socket, bytes: Buffer): void {
  while (!socket.destroyed && socket.write(bytes));
  if (!socket.destroyed) socket.once('drain', () => writeForEver(socket, bytes))
}

const deafServer = `
  const { createServer } = require('node:net')
  const { parentPort } = require('node:worker_threads')
  const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`

/**
 * A port on which connections never come about: its process listens, accepts nobody, and its queue is full.
 */
export async function startDeafServer(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const worker = new Worker(deafServer, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.race(fillers.map((filler) => once(filler, 'connect')))
  return {
    port,
    async close() {
      for (const filler of fillers) filler.destroy()
      await worker.terminate()
    },
  }
}
