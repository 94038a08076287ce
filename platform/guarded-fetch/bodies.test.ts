import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import { AppError } from '../errors.ts'
import { type RawServer, startDeafServer, startRawServer, writeForEver } from '../testing/raw-server.ts'
import { parseAllowedHost } from './allowed-hosts.ts'
import { createGuardedFetch, type GuardedRequest } from './index.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const limit = 1000
const { fetch } = createGuardedFetch({ allowed: [parseAllowedHost('127.0.0.1')!] })
const guarded = (port: number, request: Partial<GuardedRequest> = {}) =>
  fetch(`http://127.0.0.1:${port}/`, {
    param: 'url',
    timeoutMs: 20_000,
    maxBytes: limit,
    signal: new AbortController().signal,
    ...request,
  })

/** A server that answers each request with `answer`, and its sockets. */
async function serve(answer: (socket: Socket) => void): Promise<RawServer & { readonly sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = await startRawServer((socket) => {
    sockets.push(socket)
    answer(socket)
  })
  closing.push(() => server.close())
  return Object.assign(Object.create(server), { sockets })
}

const head = (...headers: string[]) => ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n')
const endless = 'Content-Type: image/png'

function sized(body: Buffer | string, ...headers: string[]) {
  return (socket: Socket) => {
    socket.write(head(`Content-Length: ${Buffer.byteLength(body)}`, ...headers))
    socket.write(body)
  }
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

async function closed(socket: Socket | undefined): Promise<void> {
  if (!socket || socket.closed) return
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

const tooLarge = {
  code: 'max_size_exceeded',
  message: 'What the URL leads to is larger than 1000 bytes.',
  param: 'url',
}
const late = { code: 'invalid_parameter', message: 'The URL did not answer in time.', param: 'url' }
const unreachable = {
  code: 'invalid_parameter',
  message: 'Nothing could be fetched from this URL.',
  param: 'url',
}

describe('a body', () => {
  it('that never ends is cut above the limit, and its connection closed', async () => {
    const server = await serve((socket) => {
      socket.write(head(endless))
      writeForEver(socket, Buffer.alloc(700))
    })
    const { body } = await guarded(server.port)
    let bytes = 0
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    expect(await failure(once(body, 'end'))).toMatchObject(tooLarge)
    expect(bytes).toBeLessThanOrEqual(limit)
    await closed(server.sockets[0])
  })

  it('of as many bytes as there may be is whole; one more is too many, announced or not', async () => {
    const body = Buffer.alloc(limit, 'a')
    const exact = await serve(sized(body))
    expect(await buffer((await guarded(exact.port)).body)).toEqual(body)
    const more = await serve((socket) => void socket.end(head(endless) + 'a'.repeat(limit + 1)))
    expect(await failure(buffer((await guarded(more.port)).body))).toMatchObject(tooLarge)
    const announced = await serve(sized(Buffer.alloc(limit + 1)))
    expect(await failure(guarded(announced.port))).toMatchObject(tooLarge)
  })

  it('that is announced too large is refused before it comes', async () => {
    const server = await serve((socket) => void socket.write(head('Content-Length: 5000000000')))
    expect(await failure(guarded(server.port))).toMatchObject(tooLarge)
    await closed(server.sockets[0])
  })

  it('that HEAD asks the size of is not refused for it', async () => {
    const server = await serve(
      (socket) => void socket.write(head('Content-Length: 5000000000', 'Content-Encoding: gzip')),
    )
    const { headers, body } = await guarded(server.port, { method: 'HEAD' })
    expect(headers['content-length']).toBe('5000000000')
    expect(await text(body)).toBe('')
  })

  it('whose reader stops closes the connection', async () => {
    const server = await serve((socket) => {
      socket.write(head(endless))
      socket.write('first')
    })
    const { body } = await guarded(server.port)
    for await (const chunk of body) {
      expect(String(chunk)).toBe('first')
      break
    }
    await closed(server.sockets[0])
    const { body: unread } = await guarded(server.port)
    unread.destroy()
    await closed(server.sockets[1])
  })

  it('comes no faster than it is read', async () => {
    const server = await serve((socket) => {
      socket.write(head(endless))
      writeForEver(socket, Buffer.alloc(65_536))
    })
    const { body } = await guarded(server.port, { maxBytes: 2 ** 28 })
    // Begins to read, but takes nothing out.
    await once(body, 'readable')
    let sent = -1
    while (sent < server.bytesSent) {
      sent = server.bytesSent
      await delay(200)
    }
    // What fits into the buffers of the system, on both sides.
    expect(sent).toBeLessThan(64 * 2 ** 20)
    let read = 0
    for await (const chunk of body) {
      read += chunk.length
      if (read > sent) break
    }
    expect(read).toBeGreaterThan(sent)
  })

  it.each([
    ['is cut off', `${head('Content-Length: 10')}abc`],
    ['breaks off between its chunks', `${head('Transfer-Encoding: chunked')}3\r\nabc\r\n`],
    ['has a broken chunk', `${head('Transfer-Encoding: chunked')}3\r\nabc\r\nzz\r\n`],
  ])('that %s fails in the usual words', async (_, bytes) => {
    const { port } = await serve((socket) => void socket.end(bytes))
    expect(await failure(guarded(port).then(({ body }) => text(body)))).toMatchObject(unreachable)
  })

  it.each([
    '',
    'SSH-2.0-OpenSSH_9.6\r\n',
    'HTTP/1.1 abc\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n',
    head(`A: ${'b'.repeat(100_000)}`),
  ])('does not come after %j', async (bytes) => {
    const { port } = await serve((socket) => void socket.end(bytes))
    expect(await failure(guarded(port))).toMatchObject(unreachable)
  })
})

describe('an encoded body', () => {
  const meant = 'meant '.repeat(100)

  it('is not asked for, whatever the caller says', async () => {
    const seen: IncomingHttpHeaders[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers)
      response.end()
    }).listen(0, '127.0.0.1')
    closing.push(async () => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const headers = {
      'Accept-Encoding': 'gzip',
      Host: 'other.test',
      Connection: 'keep-alive',
      'x-kept': 'yes',
    }
    const { body } = await guarded(port, { method: 'PUT', body: 'sent', headers })
    await text(body)
    expect(seen).toEqual([
      {
        'accept-encoding': 'identity',
        host: `127.0.0.1:${port}`,
        connection: 'close',
        'content-length': '4',
        'x-kept': 'yes',
      },
    ])
  })

  it.each([
    ['gzip', gzipSync(meant)],
    ['X-Gzip', gzipSync(meant)],
    ['deflate', deflateSync(meant)],
    ['br', brotliCompressSync(meant)],
    ['identity', Buffer.from(meant)],
  ])('is decoded: %s', async (encoding, bytes) => {
    const { port } = await serve(sized(bytes, `Content-Encoding: ${encoding}`))
    expect(await text((await guarded(port)).body)).toBe(meant)
  })

  it.each([
    ['gzip', gzipSync(Buffer.alloc(1_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(1_000_000))],
  ])('counts by what it decodes to: %s', async (encoding, bytes) => {
    const { port } = await serve(sized(bytes, `Content-Encoding: ${encoding}`))
    const { body } = await guarded(port, { maxBytes: 10_000 })
    expect(bytes.length).toBeLessThan(10_000)
    expect(await failure(buffer(body))).toMatchObject({ code: 'max_size_exceeded' })
  })

  it('that decodes to nothing for ever counts by what is sent', async () => {
    const server = await serve((socket) => {
      socket.write(head('Content-Encoding: gzip'))
      socket.write(gzipSync('').subarray(0, 10))
      writeForEver(socket, Buffer.from('000000ffff', 'hex'))
    })
    expect(await failure(buffer((await guarded(server.port)).body))).toMatchObject(tooLarge)
    await closed(server.sockets[0])
  })

  it.each([
    ['of another kind', 'zstd', zstdCompressSync(meant)],
    ['twice', 'gzip, gzip', gzipSync(gzipSync(meant))],
    ['in truth not at all', 'gzip', Buffer.from(meant)],
    ['in part', 'gzip', gzipSync(meant).subarray(0, 15)],
  ])('%s fails in the usual words', async (_, encoding, bytes) => {
    const { port } = await serve(sized(bytes, `Content-Encoding: ${encoding}`))
    expect(await failure(guarded(port).then(({ body }) => text(body)))).toMatchObject(unreachable)
  })
})

describe('a deadline', () => {
  const soon = { timeoutMs: 100 }

  it('ends the wait for a head that does not come, or not to its end', async () => {
    for (const begun of ['', 'HTTP/1.1 200 OK\r\nContent-']) {
      const server = await serve((socket) => void socket.write(begun))
      expect(await failure(guarded(server.port, soon))).toMatchObject(late)
      await closed(server.sockets[0])
    }
  })

  it('ends a body that trickles', async () => {
    const server = await serve((socket) => {
      socket.write(head(endless))
      const drops = setInterval(() => socket.write('.'), 10)
      socket.once('close', () => clearInterval(drops))
    })
    expect(await failure(guarded(server.port, soon).then(({ body }) => text(body)))).toMatchObject(late)
    await closed(server.sockets[0])
  })

  it('ends an encoded body that trickles', async () => {
    const server = await serve((socket) => {
      socket.write(head('Content-Encoding: gzip'))
      socket.write(gzipSync('meant').subarray(0, 12))
    })
    expect(await failure(guarded(server.port, soon).then(({ body }) => text(body)))).toMatchObject(late)
    await closed(server.sockets[0])
  })

  it('ends a body that nobody reads, and lets later readers know', async () => {
    const server = await serve((socket) => {
      socket.write(head(endless))
      socket.write('first')
    })
    const { body } = await guarded(server.port, soon)
    await closed(server.sockets[0])
    await delay(1)
    expect(await failure(text(body))).toMatchObject(late)
  })

  it('ends a connection that does not come about', async () => {
    const deaf = await startDeafServer()
    closing.push(() => deaf.close())
    expect(await failure(guarded(deaf.port, soon))).toMatchObject(late)
  })

  it('ends the search for a name', async () => {
    const { fetch } = createGuardedFetch({ allowed: [], resolve: () => new Promise(() => undefined) })
    const request = { param: 'url', maxBytes: 1, signal: AbortSignal.any([]), ...soon }
    expect(await failure(fetch('http://name.test/', request))).toMatchObject(late)
  })

  it('counts redirects in', async () => {
    const last = await serve(() => undefined)
    const first = await serve((socket) => {
      socket.end(
        `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${last.port}/\r\nContent-Length: 0\r\n\r\n`,
      )
    })
    expect(await failure(guarded(first.port, soon))).toMatchObject(late)
    await closed(last.sockets[0])
  })
})

describe('a caller who leaves', () => {
  const reason = new Error('They left.')

  it('ends the wait for the head', async () => {
    const leaving = new AbortController()
    const server = await serve(() => leaving.abort(reason))
    await expect(guarded(server.port, { signal: leaving.signal })).rejects.toBe(reason)
    await closed(server.sockets[0])
  })

  it('ends the body', async () => {
    const leaving = new AbortController()
    const server = await serve((socket) => {
      socket.write(head(endless))
      socket.write('first')
    })
    const { body } = await guarded(server.port, { signal: leaving.signal })
    body.once('data', () => leaving.abort(reason))
    await expect(once(body, 'end')).rejects.toBe(reason)
    await closed(server.sockets[0])
  })

  it('before it begins, asks nobody', async () => {
    const server = await serve(sized('hello'))
    await expect(guarded(server.port, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server.sockets).toEqual([])
  })
})
