import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { type RawServer, startRawServer } from '../platform/testing/raw-server.ts'
import { type Answer, clientOf, guest, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

const folder = mkdtempSync(join(tmpdir(), 'provider-faults-'))
/** Two addresses of one provider, a provider that stands in, one that takes a call at a time, and one that is no provider. */
let pair: [FakeProvider, FakeProvider]
let standIn: FakeProvider
let narrow: FakeProvider
let silent: RawServer
let server: TestServer
let client: TestClient
beforeAll(async () => {
  pair = [
    await startFakeProvider({ models: ['twin', 'lone'] }),
    await startFakeProvider({ models: ['twin'] }),
  ]
  standIn = await startFakeProvider({ models: ['stand-in'] })
  narrow = await startFakeProvider({ models: ['narrow'] })
  silent = await startRawServer(() => undefined)
  const [one, other] = pair
  const providers = [
    { name: 'Pair', endpoints: [one, other].map(({ url }, at) => ({ url, priority: at })), models: ['twin'] },
    { name: 'Lone', url: `${one.url}?lone`, models: ['lone'] },
    { name: 'Stand-in', url: standIn.url },
    { name: 'Narrow', url: narrow.url, max_concurrency: 1 },
    { name: 'Silent', url: `http://127.0.0.1:${silent.port}/v1`, models: ['silent'] },
  ]
  const file = join(folder, 'providers.yaml')
  writeFileSync(
    file,
    JSON.stringify({ providers: { default: providers }, fallbacks: { twin: ['stand-in'] } }),
  )
  server = await startTestServer({
    JAN_PROVIDER_CONFIGS_FILE: file,
    PROVIDER_MAX_RETRIES: '1',
    PROVIDER_QUEUE_LENGTH: '2',
    PROVIDER_BREAKER_FAULTS: '6',
    HTTP_TIMEOUT: '1s',
  })
  client = clientOf(server, server.adminKey)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await Promise.all([...pair, standIn, narrow, silent].map((one) => one.close()))
  rmSync(folder, { recursive: true })
})

const messages = [{ role: 'user', content: 'Hello' }]
const ask = (model: string, more: object = {}, as = client) =>
  as.post('/v1/chat/completions', { model, messages, ...more })
const asked = (...fakes: FakeProvider[]) =>
  fakes.map(({ requests }) => requests.filter(({ method }) => method === 'POST').length)
const failing = { status: 500 }

describe('a model whose provider fails', () => {
  it('is asked for at the next address, whole and streamed', async () => {
    for (const stream of [false, true]) {
      const [first = 0, second = 0] = asked(...pair)
      pair[0].script({ reset: 'before-head' })
      const answer = await ask('twin', { stream })
      expect([answer.status, answer.text.includes('provider')]).toEqual([200, true])
      expect(asked(...pair)).toEqual([first + 1, second + 1])
    }
  })

  it('is stood in for where all addresses fail, under the name that was asked for', async () => {
    for (const stream of [false, true]) {
      for (const fake of pair) fake.script(failing)
      const answer = await ask('twin', { stream })
      expect(answer.status).toBe(200)
      expect(standIn.requests.at(-1)?.json).toMatchObject({ model: 'stand-in' })
      expect(answer.text).toContain('"model":"twin"')
      expect(answer.text).not.toContain('stand-in')
      if (stream) expect(answer.text).toMatch(/data: \[DONE\]\n\n$/)
    }
  })

  it('is not asked for again once its answer has begun: the stream ends with the error and without [DONE]', async () => {
    const before = asked(...pair, standIn)
    pair[0].script({ breakOff: true, chunks: [chatChunk({ role: 'assistant', content: 'half' })] })
    const { status, text } = await ask('twin', { stream: true })
    expect(status).toBe(200)
    expect(text).toMatch(
      /"content":"half".*\n\ndata: \{"error":\{[^\n]*"code":"provider_error"[^\n]*\}\}\n\n$/,
    )
    expect(asked(...pair, standIn)).toEqual([(before[0] ?? 0) + 1, ...before.slice(1)])
  })

  it('passes on an error that the provider sends in the middle of a stream', async () => {
    const chunks = [
      chatChunk({ role: 'assistant', content: 'half' }),
      { error: { code: 429, message: 'slow down' } },
    ]
    pair[0].script({ chunks })
    const { text } = await ask('twin', { stream: true })
    expect(text).toMatch(/"content":"half".*\n\ndata: \{"error":\{[^\n]*"code":"provider_rate_limited"/)
    expect(text).not.toContain('[DONE]')
  })
})

describe('a provider that does not answer', () => {
  it('is 504 after the time for it', async () => {
    for (const stream of [false, true]) {
      const answer = await ask('silent', { stream })
      expect(answer.status).toBe(504)
      expect(answer.json()).toMatchObject({ error: { type: 'upstream_error', code: 'upstream_timeout' } })
    }
  })
})

describe('a provider that limits the rate', () => {
  it('is 429 with its Retry-After, and is not asked until then', async () => {
    pair[0].script({ status: 429, headers: { 'retry-after': '40' } })
    const before = asked(pair[0])
    for (const stream of [false, true]) {
      const answer = await ask('lone', { stream })
      expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, 40])
      expect(answer.json()).toMatchObject({
        error: { type: 'rate_limit_error', code: 'provider_rate_limited' },
      })
    }
    expect(asked(pair[0])).toEqual([(before[0] ?? 0) + 1])
  })
})

describe('a provider that keeps failing', () => {
  it('is 503 with Retry-After without being asked', async () => {
    standIn.script(...Array.from({ length: 6 }, () => failing))
    for (let call = 0; call < 3; call += 1) expect((await ask('stand-in')).status).toBe(502)
    const before = asked(standIn)
    const answer = await ask('stand-in')
    expect(answer.status).toBe(503)
    expect(answer.json()).toMatchObject({ error: { type: 'upstream_error', code: 'service_unavailable' } })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(asked(standIn)).toEqual(before)
  })
})

describe('a provider that has no room', () => {
  it('refuses who is too many, has whoever fills the queue give way to others, and serves the rest in turn', async () => {
    const other = await guest(server)
    const running = await hold('narrow')
    const statuses: number[] = []
    const ended = new EventEmitter()
    const record = ({ status, headers }: Answer) => {
      statuses.push(status)
      if (status === 503) expect(headers.get('retry-after')).toBe('1')
      ended.emit(String(statuses.length))
    }
    const [two, three] = [once(ended, '2'), once(ended, '3')]
    const mine = ['a', 'b', 'c', 'd'].map((user) => ask('narrow', { user }).then(record))
    await two
    const theirs = ask('narrow', { user: 'other' }, other)
    await three
    running.abort()
    expect((await theirs).status).toBe(200)
    await Promise.all(mine)
    expect(statuses).toEqual([503, 503, 503, 200])
  })

  /** Takes the only place, until it is aborted. */
  async function hold(model: string): Promise<AbortController> {
    const holder = new AbortController()
    narrow.script({ hang: 'mid-stream', chunks: [chatChunk({ content: 'x' })] })
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages, stream: true }),
      signal: holder.signal,
    })
    expect(response.status).toBe(200)
    return holder
  }
})
