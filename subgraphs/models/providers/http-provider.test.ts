import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { AppError } from '../../../platform/errors.ts'
import {
  type Behaviour,
  type FakeProvider,
  startFakeProvider,
} from '../../../platform/testing/fake-provider.ts'
import type { ProviderTimeouts } from './endpoint.ts'
import { createHttpProvider } from './http-provider.ts'
import type { Provider } from './provider.ts'

let fake: FakeProvider
let provider: Provider
const key = 'sk-secret-of-the-platform'

beforeEach(async () => {
  fake = await startFakeProvider()
  provider = connect()
})
afterEach(async () => {
  await provider.close()
  await fake.close()
})

function connect(timeouts: Partial<ProviderTimeouts> = {}): Provider {
  return createHttpProvider({ url: fake.url, apiKey: key, vendor: 'custom' }, { timeouts })
}

const never = new AbortController().signal
const request = (body: object = {}, signal: AbortSignal = never) => ({
  body: { model: 'fake-model', messages: [], ...body },
  requestId: 'req-1',
  signal,
})
const failure = async (promise: Promise<unknown>): Promise<AppError> => {
  const error: unknown = await promise.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}
const refusal = (status: number, error?: object, headers?: Record<string, string>) => {
  fake.script({ status, body: error ? { error } : {}, ...(headers ? { headers } : {}) })
  return failure(provider.complete(request()))
}

describe('a plain completion', () => {
  it('sends the bytes, the key and the request id, and gives the answer as bytes and parsed', async () => {
    fake.script({ extra: { vendor_field: { kept: true } } })
    const body = Buffer.from('{"model":"fake-model","seed":12345678901234567890,"messages":[]}')
    const answer = await provider.complete({ body, requestId: 'req-7', signal: never })
    expect(answer.json).toMatchObject({ vendor_field: { kept: true }, usage: { total_tokens: 12 } })
    expect(JSON.parse(answer.body.toString())).toEqual(answer.json)
    expect(fake.requests[0]?.body.equals(body)).toBe(true)
    expect(fake.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${key}`,
      'x-request-id': 'req-7',
      'content-type': 'application/json',
    })
  })

  it('reuses its connections', async () => {
    for (let i = 0; i < 5; i++) await provider.complete(request())
    // undici frees a connection a tick after its answer, so that a call made at once may open a second.
    expect(fake.connections).toBeLessThanOrEqual(2)
  })

  it('keeps the query of the base for every call and gives Azure its own header', async () => {
    const azure = createHttpProvider({
      url: `${fake.url}/?api-version=1`,
      apiKey: 'k',
      vendor: 'azure_openai',
    })
    await azure.complete(request())
    expect(fake.requests[0]).toMatchObject({
      path: '/v1/chat/completions?api-version=1',
      headers: { 'api-key': 'k' },
    })
    expect(fake.requests[0]?.headers.authorization).toBeUndefined()
    await azure.close()
  })
})

describe('a refusal', () => {
  it('that the caller caused keeps the message and the param of the provider', async () => {
    const error = await refusal(400, {
      message: 'temperature must be under 2',
      param: 'temperature',
      code: 'x',
    })
    expect(error).toMatchObject({
      code: 'invalid_parameter',
      message: 'temperature must be under 2',
      param: 'temperature',
    })
    expect(await refusal(413)).toMatchObject({ code: 'invalid_parameter' })
    expect(await refusal(422, { message: 'no' })).toMatchObject({ code: 'invalid_parameter', message: 'no' })
  })

  it('reads the error shapes of other servers', async () => {
    for (const body of [
      { error: 'bad seed' },
      { object: 'error', message: 'bad seed' },
      { detail: 'bad seed' },
    ]) {
      fake.script({ status: 400, body })
      expect(await failure(provider.complete(request()))).toMatchObject({ message: 'bad seed' })
    }
  })

  it('for our own key is a provider error that does not tell of it', async () => {
    for (const status of [401, 402, 403]) {
      const error = await refusal(status, { message: `Incorrect API key ${key}` })
      expect(error.code).toBe('provider_error')
      expect(error.message).not.toContain('key')
    }
  })

  it('for a missing model is model_not_found only where the provider says so', async () => {
    expect(
      await refusal(404, { message: 'The model `x` does not exist', code: 'model_not_found' }),
    ).toMatchObject({
      code: 'model_not_found',
      param: 'model',
    })
    expect((await refusal(404, { message: "model 'x' not found, try pulling it first" })).code).toBe(
      'model_not_found',
    )
    expect((await refusal(404, { message: 'Unknown request URL' })).code).toBe('provider_error')
  })

  it('by rate carries the wait, in seconds or as a date', async () => {
    expect(await refusal(429, {}, { 'retry-after': '7' })).toMatchObject({
      code: 'provider_rate_limited',
      retryAfter: 7,
    })
    const date = new Date(Date.now() + 30_000).toUTCString()
    expect((await refusal(429, {}, { 'retry-after': date })).retryAfter).toBeGreaterThan(27)
    expect((await refusal(429)).retryAfter).toBeUndefined()
  })

  it('by a fault of the provider is a provider error without its text', async () => {
    for (const status of [302, 405, 500, 503, 529]) {
      const error = await refusal(
        status,
        { message: 'Traceback: /srv/app.py' },
        status === 302 ? { location: '/' } : {},
      )
      expect(error.code).toBe('provider_error')
      expect(error.message).not.toContain('Traceback')
    }
    expect((await refusal(504)).code).toBe('upstream_timeout')
  })

  it('never shows keys or internal hosts in what it keeps', async () => {
    const { message } = await refusal(400, {
      message: `bad ${key} via Bearer abc.def at http://127.0.0.1:${fake.port}/v1 and http://10.2.3.4:80/x, vllm.prod.internal, sk-proj-12345678, see https://platform.openai.com/docs\u0007`,
    })
    expect(message).toContain('https://platform.openai.com/docs')
    expect(message).not.toMatch(/sk-|abc\.def|127\.0|10\.2|internal/)
    expect(message.endsWith('docs')).toBe(true)
  })

  it('inside a 200 answer is one too', async () => {
    fake.script(
      { body: { error: { message: 'Provider disconnected', code: 502 } } },
      { body: { error: { code: 429 } } },
    )
    expect((await failure(provider.complete(request()))).code).toBe('provider_error')
    expect((await failure(provider.complete(request()))).code).toBe('provider_rate_limited')
  })
})

describe('a broken provider', () => {
  it('is a provider error: unreachable, reset, no JSON, no choices, not HTTP', async () => {
    const gone = createHttpProvider({ url: 'http://127.0.0.1:9/v1', apiKey: null, vendor: 'custom' })
    const unreachable = await failure(gone.complete(request()))
    expect(unreachable.code).toBe('provider_error')
    expect(unreachable.message).not.toContain('127.0.0.1')

    const broken: Behaviour[] = [
      { reset: 'before-head' },
      { body: '<html>' },
      { body: {} },
      { body: { choices: [null] } },
      { body: '[]' },
      { body: '"x"' },
    ]
    for (const behaviour of broken) {
      fake.script(behaviour)
      expect((await failure(provider.complete(request()))).code).toBe('provider_error')
    }

    const telnet = createServer((socket) => socket.end('220 smtp ready\r\n')).listen(0, '127.0.0.1')
    await once(telnet, 'listening')
    const { port } = telnet.address() as AddressInfo
    const other = createHttpProvider({ url: `http://127.0.0.1:${port}/v1`, apiKey: null, vendor: 'custom' })
    expect((await failure(other.stream(request({ stream: true })))).code).toBe('provider_error')
    telnet.close()
  })

  it('serves again as soon as it is well', async () => {
    fake.script({ reset: 'before-head' })
    await failure(provider.complete(request()))
    await expect(provider.complete(request())).resolves.toBeDefined()
  })
})

describe('deadlines', () => {
  it('bound the head of every kind of call when one is set', async () => {
    const hasty = connect({ headMs: 40 })
    const calls = [
      () => hasty.complete(request()),
      () => hasty.stream(request({ stream: true })),
      () => hasty.embed(request()),
    ]
    for (const call of calls) {
      fake.script({ hang: 'before-head' })
      expect((await failure(call())).code).toBe('upstream_timeout')
      await fake.requests.at(-1)?.left()
    }
    await hasty.close()
  })

  it('bound the whole of a completion that sends its head late', async () => {
    const hasty = connect({ totalMs: 1_500 })
    fake.script({ hang: 'before-head' }, { headDelayMs: 300 })
    expect((await failure(hasty.complete(request()))).code).toBe('upstream_timeout')
    await hasty.complete(request())
    await hasty.close()
  })
})

describe('a client that leaves', () => {
  it('ends the call at the provider while it waits for the head, plain and streamed', async () => {
    for (const stream of [false, true]) {
      fake.script({ hang: 'before-head' })
      const client = new AbortController()
      const arrival = fake.request()
      const call = stream
        ? provider.stream(request({ stream }, client.signal))
        : provider.complete(request({}, client.signal))
      const seen = await arrival
      client.abort()
      await expect(call).rejects.toMatchObject({ name: 'AbortError' })
      await seen.left()
    }
  })

  it('before the call never reaches the provider', async () => {
    await expect(provider.complete(request({}, AbortSignal.abort()))).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(fake.requests).toHaveLength(0)
  })

  it('in the turn in which the call is made leaves nothing behind', async () => {
    const client = new AbortController()
    const call = provider.complete(request({}, client.signal))
    client.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    await expect(provider.complete(request())).resolves.toBeDefined()
  })
})

describe('embeddings and the model list', () => {
  it('are passed on', async () => {
    const { json } = await provider.embed({ ...request(), body: { model: 'fake-model', input: ['a', 'b'] } })
    expect(json.data).toHaveLength(2)
    expect(await provider.listModels(never)).toEqual([
      { id: 'fake-model', created: 1_700_000_000, ownedBy: 'fake', capabilities: {} },
    ])
  })

  it('fail like every call', async () => {
    fake.script({ body: { not: 'embeddings' } })
    expect((await failure(provider.embed(request()))).code).toBe('provider_error')
    fake.setModels([{ name: 'no id' }])
    expect(await provider.listModels(never)).toEqual([])
  })
})
