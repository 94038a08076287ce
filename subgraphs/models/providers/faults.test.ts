import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { chatChunk } from '../../../platform/testing/fake-provider.ts'
import {
  type RawServer,
  startDeafServer,
  startRawServer,
  writeForEver,
} from '../../../platform/testing/raw-server.ts'
import type { ProviderTimeouts } from './endpoint.ts'
import { createHttpProvider } from './http-provider.ts'
import type { Provider, ProviderStream } from './provider.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const never = new AbortController().signal
const broken = { code: 'provider_error', status: 502 }
const late = { code: 'upstream_timeout', status: 504 }
const again = { next: 'same', isFault: true }
const nobody = { next: 'nobody', isFault: true }

function connect(url: string, timeouts: Partial<ProviderTimeouts> = {}, keepAliveMs?: number): Provider {
  const provider = createHttpProvider(
    { url, apiKey: null, vendor: 'custom' },
    { timeouts, ...(keepAliveMs ? { keepAliveMs } : {}) },
  )
  closers.push(() =>
    Promise.race([provider.close(), new Promise((resolve) => setTimeout(resolve, 500).unref())]),
  )
  return provider
}
async function serve(
  onRequest: (socket: Socket) => void,
  timeouts: Partial<ProviderTimeouts> = {},
): Promise<{ provider: Provider; server: RawServer }> {
  const server = await startRawServer(onRequest)
  closers.push(() => server.close())
  return { server, provider: connect(`http://127.0.0.1:${server.port}/v1`, timeouts) }
}

const request = (stream = false) => ({
  body: { model: 'm', messages: [], stream },
  requestId: 'r',
  signal: never,
})
const complete = (provider: Provider) => provider.complete(request())
const open = (provider: Provider) => provider.stream(request(true))

const head = (length: number | string, type = 'application/json') =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const chunked = (bytes: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`${Buffer.byteLength(bytes).toString(16)}\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ])
const lastChunk = '0\r\n\r\n'
const frame = (chunk: object) => `data: ${JSON.stringify(chunk)}\n\n`
const answer = (content: string) =>
  JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] })
const endless = Buffer.alloc(64 * 1024, 'x')

/** Reads to the end: the frames, and the error that ended it. */
async function read(stream: ProviderStream) {
  const frames: Buffer[] = []
  try {
    for await (const batch of stream) frames.push(...batch.frames)
  } catch (error) {
    return { frames, error }
  }
  return { frames, error: null }
}

describe('a connection that never comes about', () => {
  it('is given up after the time for connecting: a port that accepts nobody', async () => {
    const deaf = await startDeafServer()
    closers.push(() => deaf.close())
    const provider = connect(`http://127.0.0.1:${deaf.port}/v1`, { connectMs: 150 })
    for (const call of [complete, open]) await givenUp(call(provider))
  })

  it('is given up after the time for connecting: a server that leaves the TLS handshake unanswered', async () => {
    const server = await startRawServer(() => undefined)
    closers.push(() => server.close())
    const provider = connect(`https://127.0.0.1:${server.port}/v1`, { connectMs: 150 })
    await givenUp(complete(provider))
  })

  /** By our bound: that of undici is ten seconds. */
  async function givenUp(call: Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    await expect(call).rejects.toMatchObject({ ...broken, ...again })
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  }

  it('is refused, or has no name', async () => {
    for (const host of ['127.0.0.1:9', 'no-such-host.invalid'])
      await expect(complete(connect(`http://${host}/v1`))).rejects.toMatchObject({ ...broken, ...again })
  })
})

describe('a provider that is slow', () => {
  it('to begin its answer is a timeout, and another may be asked', async () => {
    const { provider } = await serve(() => undefined, { headMs: 50 })
    for (const call of [complete, open])
      await expect(call(provider)).rejects.toMatchObject({ ...late, next: 'another', isFault: true })
  })

  it('to send a head that trickles in is one too', async () => {
    const { provider } = await serve((socket) => drip(socket, 'HTTP/1.1 200 OK\r\nx-padding: '), {
      headMs: 100,
    })
    await expect(complete(provider)).rejects.toMatchObject({ ...late, next: 'another' })
  })

  it('to go on with a whole answer is a timeout after which nobody is asked', async () => {
    const { provider } = await serve((socket) => socket.write(`${head(100)}{"choices":`), { idleMs: 50 })
    await expect(complete(provider)).rejects.toMatchObject({ ...late, ...nobody })
  })

  it('to come to an end is one however steadily it drips, whole and streamed', async () => {
    const whole = await serve((socket) => drip(socket, head(1_000_000)), { totalMs: 150, idleMs: 10_000 })
    // Its reader may have been slow: not held against it.
    const over = { ...late, next: 'nobody', isFault: false }
    await expect(complete(whole.provider)).rejects.toMatchObject(over)
    const streamed = await serve((socket) => drip(socket, streamHead, chunked(': ping\n')), { totalMs: 150 })
    expect((await read(await open(streamed.provider))).error).toMatchObject(over)
  })

  it('has the time that calls before it have left', async () => {
    const { provider } = await serve(() => undefined, { totalMs: 60_000 })
    const call = provider.complete({ ...request(), startedAt: performance.now() - 59_950 })
    await expect(call).rejects.toMatchObject({ ...late, isFault: true })
  })

  /** Writes a little every 10 ms after a beginning. */
  function drip(socket: Socket, beginning: string, drop: Buffer | string = ' ') {
    socket.write(beginning)
    const timer = setInterval(() => socket.write(drop), 10)
    socket.on('close', () => clearInterval(timer))
  }
})

describe('an answer that is no HTTP', () => {
  it('may be had elsewhere where it is none from the start', async () => {
    for (const bytes of [
      '220 smtp ready\r\n',
      '\u0000\u0001\u0002',
      '{"choices":[]}',
      'HTTP/1.1 abc\r\n\r\n',
    ]) {
      const { provider } = await serve((socket) => socket.end(bytes))
      for (const call of [complete, open])
        await expect(call(provider)).rejects.toMatchObject({ ...broken, ...again })
    }
  })

  it('may be had elsewhere where its head never ends', async () => {
    const { provider } = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-endless: ')
      writeForEver(socket, endless)
    })
    await expect(complete(provider)).rejects.toMatchObject({ ...broken, ...again })
  })

  it('breaks a stream where that turns into something else, after what came before', async () => {
    const { provider } = await serve((socket) =>
      socket.end(
        Buffer.concat([
          Buffer.from(streamHead),
          chunked(frame(chatChunk({ content: 'x' }))),
          Buffer.from('zzz\r\n'),
        ]),
      ),
    )
    const { frames, error } = await read(await open(provider))
    expect([frames.length, error]).toMatchObject([1, { ...broken, ...nobody }])
  })
})

describe('a length that is a lie', () => {
  it('breaks a whole answer that ends before it', async () => {
    const { provider } = await serve((socket) => socket.end(`${head(1_000)}${answer('short')}`))
    await expect(complete(provider)).rejects.toMatchObject({ ...broken, ...nobody })
  })

  it('breaks a whole answer that goes on after it, and the rest is no other call’s answer', async () => {
    let calls = 0
    const { provider } = await serve((socket) => {
      calls += 1
      socket.write(
        calls === 1 ? `${head(10)}${answer('cut')}` : `${head(answer('own').length)}${answer('own')}`,
      )
    })
    await expect(complete(provider)).rejects.toMatchObject(broken)
    expect((await complete(provider)).json).toMatchObject({ choices: [{ message: { content: 'own' } }] })
  })

  it('breaks a stream without a finish reason', async () => {
    const { provider } = await serve((socket) =>
      socket.end(`${head(1_000, 'text/event-stream')}${frame(chatChunk({ content: 'x' }))}`),
    )
    const { frames, error } = await read(await open(provider))
    expect([frames.length, error]).toMatchObject([1, broken])
  })
})

describe('a refusal', () => {
  it('is what its status says, however its body ends', async () => {
    const bytes = 'HTTP/1.1 503 Busy\r\nretry-after: 3\r\ncontent-length: 100\r\n\r\n{"error":'
    const ends: ((socket: Socket) => unknown)[] = [
      (socket) => socket.end(bytes),
      (socket) => socket.write(bytes),
      (socket) => socket.write(bytes, () => setTimeout(() => socket.resetAndDestroy(), 20)),
    ]
    for (const end of ends) {
      const { provider } = await serve(end, { idleMs: 60 })
      for (const call of [complete, open])
        await expect(call(provider)).rejects.toMatchObject({ ...broken, ...again, restMs: 3_000 })
    }
  })
})

describe('an answer that nobody asked for', () => {
  it('behind another one is no other call’s answer', async () => {
    let calls = 0
    const { provider } = await serve((socket) => {
      calls += 1
      const whole = (text: string) => `${head(answer(text).length)}${answer(text)}`
      socket.write(calls === 1 ? whole('first') + whole('smuggled') : whole('own'))
    })
    const texts: unknown[] = []
    for (let call = 0; call < 3; call += 1) {
      // The connection may be found out in the middle of the next call: that is a failure, never a wrong answer.
      const answered = await complete(provider).catch(() => null)
      if (answered)
        texts.push((answered.json.choices as { message: { content: string } }[])[0]?.message.content)
    }
    expect(texts).not.toContain('smuggled')
    expect(texts).toContain('own')
  })

  it('yet (1xx) is passed over', async () => {
    const { provider } = await serve((socket) =>
      socket.write(
        `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${head(answer('own').length)}${answer('own')}`,
      ),
    )
    await expect(complete(provider)).resolves.toBeDefined()
  })
})

describe('a great answer', () => {
  it('of 10 MB in one piece passes', async () => {
    const text = answer('x'.repeat(10_000_000))
    const { provider } = await serve((socket) => socket.write(head(text.length) + text))
    expect((await complete(provider)).body.length).toBe(text.length)
  })

  it('without end is broken off, and little more is read than its bound', async () => {
    const { provider, server } = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n')
      writeForEver(socket, endless)
    })
    await expect(complete(provider)).rejects.toMatchObject(broken)
    expect(server.bytesSent).toBeLessThan(80 * 1024 * 1024)
  })

  it('in a line without end is broken off, and little more is read than its bound', async () => {
    const { provider, server } = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {"x":"')
      writeForEver(socket, endless)
    })
    const { frames, error } = await read(await open(provider))
    expect([frames.length, error]).toMatchObject([0, { ...broken, ...nobody }])
    expect(server.bytesSent).toBeLessThan(32 * 1024 * 1024)
  })
})

describe('the bytes of a stream', () => {
  const frames = [
    chatChunk({ role: 'assistant', content: 'grüße ' }),
    chatChunk({ content: '😀' }),
    chatChunk({}, 'stop'),
  ]
  const bytes = Buffer.from(`: ping\n\n${frames.map(frame).join('')}data: [DONE]\n\n`)

  it('are the same frames wherever they are cut', async () => {
    let cut = 0
    const { provider } = await serve((socket) => {
      socket.write(Buffer.concat([Buffer.from(streamHead), chunked(bytes.subarray(0, cut))]))
      socket.write(Buffer.concat([chunked(bytes.subarray(cut)), Buffer.from(lastChunk)]))
    })
    for (cut = 1; cut < bytes.length; cut += 1) {
      const { frames: seen, error } = await read(await open(provider))
      expect([cut, error, seen.map((one) => JSON.parse(one.toString()))]).toEqual([cut, null, frames])
    }
  })

  it('that end inside a character are a broken answer', async () => {
    const whole = frame(chatChunk({ content: '😀' }))
    const half = Buffer.from(whole).subarray(0, Buffer.from(whole).indexOf(0xf0) + 2)
    const { provider } = await serve((socket) =>
      socket.end(
        Buffer.concat([
          Buffer.from(streamHead),
          chunked(frame(frames[0] ?? {})),
          chunked(half),
          Buffer.from(lastChunk),
        ]),
      ),
    )
    const { frames: seen, error } = await read(await open(provider))
    expect([seen.length, error]).toMatchObject([1, broken])
  })

  it('are passed on as they are where a character in a frame is half', async () => {
    const [before = '', after = ''] = frame(chatChunk({ content: '|' }, 'stop')).split('|')
    const half = Buffer.concat([Buffer.from(before), Buffer.of(0xf0, 0x9f), Buffer.from(after)])
    const { provider } = await serve((socket) =>
      socket.end(Buffer.concat([Buffer.from(streamHead), chunked(half), Buffer.from(lastChunk)])),
    )
    const { frames: seen, error } = await read(await open(provider))
    expect([seen, error]).toEqual([[half.subarray('data: '.length, -2)], null])
  })

  it('of a web page are a broken answer, by whatever type it goes', async () => {
    const page = '<!doctype html><html><body>502 Bad Gateway</body></html>'
    for (const type of ['text/event-stream', 'text/html', 'text/plain']) {
      const { provider } = await serve((socket) => socket.end(head(page.length, type) + page))
      const error = await open(provider).then(
        async (stream) => (await read(stream)).error,
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject(broken)
    }
  })
})

describe('a connection that nobody uses', () => {
  let isClosed: Promise<unknown>
  let calls: number
  beforeEach(() => {
    calls = 0
  })

  it('is kept for the next call, and closed after its time', async () => {
    const sockets = new Set<Socket>()
    const server = await startRawServer((socket) => {
      calls += 1
      sockets.add(socket)
      isClosed = new Promise((resolve) => socket.once('close', resolve))
      socket.write(head(answer('x').length) + answer('x'))
    })
    closers.push(() => server.close())
    const provider = connect(`http://127.0.0.1:${server.port}/v1`, {}, 1_000)
    await complete(provider)
    await new Promise(setImmediate)
    await complete(provider)
    expect([calls, sockets.size]).toEqual([2, 1])
    await isClosed
  })
})
