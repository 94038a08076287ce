import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import { createLogger } from '../platform/log.ts'
import { errorHandler } from '../rest-adapter/errors.ts'
import { requestHead } from '../rest-adapter/middleware/request-head.ts'
import { closeServer, listen } from './http-server.ts'
import { createPublicServer } from './public-server.ts'

let port: number
let seen: string[] = []
let close: () => Promise<void>
beforeAll(async () => {
  const app = express()
  app.use(requestHead(1024))
  app.get('/stream', (_request, response) => void response.writeHead(200).write('first'))
  app.use(express.raw({ type: () => true, limit: '1mb' }))
  app.use((request, response) => {
    seen.push(`${request.method} ${request.url} ${Buffer.isBuffer(request.body) ? request.body : ''}`.trim())
    response.json({ answers: request.url })
  })
  app.use(errorHandler(createLogger({ level: 'silent', format: 'json' })))
  const server = createPublicServer(app, {
    headersTimeout: 300,
    requestTimeout: 600,
    connectionsCheckingInterval: 50,
  })
  await listen(server, 0, '127.0.0.1')
  port = (server.address() as AddressInfo).port
  close = () => closeServer(server, 100)
})
afterAll(() => close())

function open(): Socket {
  seen = []
  return connect(port, '127.0.0.1').on('error', () => undefined)
}

/** Everything that the server says to these bytes until it, or this side after a moment, ends the connection. */
async function say(bytes: string): Promise<string> {
  const socket = open()
  socket.write(bytes)
  const leaving = setTimeout(() => socket.end(), 1_000)
  const answer = await text(socket)
  clearTimeout(leaving)
  return answer
}

const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)
const errorOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('{'))).error

describe('a client that takes its time', () => {
  it('with the head is told so and hung up on, however steadily it drips', async () => {
    const socket = open()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
    const dripping = setInterval(() => socket.write('X-Drip: 1\r\n'), 50)
    const answer = await text(socket)
    clearInterval(dripping)
    expect(statuses(answer)).toEqual(['408'])
    expect(errorOf(answer)).toMatchObject({ type: 'timeout_error', code: 'request_timeout' })
    expect(seen).toEqual([])
  })

  it('with the body is hung up on too', async () => {
    const socket = open()
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
    const dripping = setInterval(() => socket.write('x'), 50)
    await text(socket)
    clearInterval(dripping)
    expect(seen).toEqual([])
  })

  it('keeps nobody else waiting', async () => {
    const slow = Array.from({ length: 200 }, open)
    for (const socket of slow) socket.write('GET / HTTP/1.1\r\n')
    await sleep(50)
    expect(statuses(await say('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'))).toEqual(['200'])
    await Promise.all(slow.map((socket) => text(socket)))
  })
})

describe('what is no clean request', () => {
  it('with too large a head gets 431 in the envelope', async () => {
    const answer = await say(`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(statuses(answer)).toEqual(['431'])
    expect(errorOf(answer)).toMatchObject({ code: 'headers_too_large' })
  })

  const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
  const post = (headers: string, body: string) => `POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`
  it.each([
    [
      'has a length and chunks',
      post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${hidden}`),
    ],
    ['has two lengths', post(`Content-Length: 0\r\nContent-Length: ${hidden.length}`, hidden)],
    ['has a list of lengths', post(`Content-Length: 0, ${hidden.length}`, hidden)],
    ['has a length with a sign', post(`Content-Length: +${hidden.length}`, hidden)],
    ['hides its chunks', post('Transfer-Encoding: xchunked', `0\r\n\r\n${hidden}`)],
    ['names chunked twice', post('Transfer-Encoding: chunked, chunked', `0\r\n\r\n${hidden}`)],
    ['ends its header lines with a bare line feed', post('Content-Length: 0\nX: y', hidden)],
    ['has a blank before a colon', post(`Content-Length : ${hidden.length}`, hidden)],
    ['folds a header', post(`X: y\r\n Content-Length: ${hidden.length}`, hidden)],
    ['has a chunk of no size', post('Transfer-Encoding: chunked', `zz\r\n${hidden}`)],
    ['has no host', `GET / HTTP/1.1\r\n\r\n`],
    ['has a NUL in a header', `GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n`],
    ['is no HTTP', 'hello\r\n\r\n'],
    ['is the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('that %s is refused, and nothing behind it is taken for a request', async (_, bytes) => {
    const answer = await say(bytes)
    expect(statuses(answer)).toEqual(['400'])
    expect(seen.filter((request) => request.includes('hidden'))).toEqual([])
  })

  it('that comes while an answer goes out ends that answer, and adds nothing to it', async () => {
    const socket = open()
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n')
    const [head] = (await once(socket, 'data')) as [Buffer]
    socket.write('\x16\x03\x01 garbage\r\n\r\n')
    const rest = await text(socket)
    expect(statuses(`${head}${rest}`)).toEqual(['200'])
    expect(`${head}${rest}`).not.toContain('error')
  })

  it('lacks a host or expects what nobody knows, and is told so in the envelope', async () => {
    const homeless = await say('GET / HTTP/1.1\r\n\r\n')
    expect(errorOf(homeless)).toMatchObject({ code: 'invalid_parameter' })
    const expectant = await say('GET / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n')
    expect(statuses(expectant)).toEqual(['417'])
    expect(errorOf(expectant)).toMatchObject({ type: 'invalid_request_error', code: 'expectation_failed' })
    expect(seen).toEqual([])
  })

  it('asks for a tunnel or another protocol in vain', async () => {
    const tunnel = await say('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
    expect(tunnel).not.toContain(' 200 ')
    const upgrade = await say(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n',
    )
    expect(upgrade).not.toContain(' 101 ')
  })
})

describe('a client that asks before it sends its body', () => {
  const ask = (length: number) =>
    `POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`

  it('is told to go on, and then answered', async () => {
    const socket = open()
    socket.write(ask(4))
    const [interim] = (await once(socket, 'data')) as [Buffer]
    expect(statuses(String(interim))).toEqual(['100'])
    socket.end('body')
    expect(statuses(await text(socket))).toEqual(['200'])
    expect(seen).toEqual(['POST / body'])
  })

  it('is refused before it sends one that is too large', async () => {
    const answer = await say(ask(1025))
    expect(statuses(answer)).toEqual(['413'])
    expect(errorOf(answer)).toMatchObject({ code: 'payload_too_large' })
    expect(answer).toMatch(/^connection: close\r$/im)
  })

  it('is not answered in between where its version of HTTP does not know that', async () => {
    const answer = await say(`${ask(4).replace('1.1', '1.0')}body`)
    expect(statuses(answer)).toEqual(['200'])
  })
})

describe('requests that follow one another on a connection', () => {
  it('are answered one by one, in order', async () => {
    const answer = await say(
      'POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none' +
        'POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n' +
        'GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    expect(statuses(answer)).toEqual(['200', '200', '200'])
    expect([...answer.matchAll(/"answers":"(.*?)"/g)].map(([, url]) => url)).toEqual(['/1', '/2', '/3'])
    expect(seen.toSorted()).toEqual(['GET /3', 'POST /1 one', 'POST /2 two'])
  })
})
