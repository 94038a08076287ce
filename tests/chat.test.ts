import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: OpenAI
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['org/fake-model', 'fake-embedding'] })
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url, PROVIDER_MAX_RETRIES: '0' })
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.adminKey, maxRetries: 0 })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

const hello = [{ role: 'user' as const, content: 'Hello' }]

const post = (body: object | string, init: RequestInit = {}, path = '/v1/chat/completions') =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })

describe('POST /v1/chat/completions', () => {
  it("answers the OpenAI SDK whole, with the provider's own fields", async () => {
    fake.script({ extra: { vendor_field: 7 } })
    const answer = await client.chat.completions.create({ model: 'org/fake-model', messages: hello })
    expect(answer.choices[0]?.message.content).toBe('Hello from the fake provider.')
    expect(answer).toMatchObject({ model: 'org/fake-model', vendor_field: 7, usage: { total_tokens: 12 } })
  })

  it('streams to the OpenAI SDK, chunk by chunk', async () => {
    const stream = await client.chat.completions.create({ model: 'jan-v1-4b', messages: hello, stream: true })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'Hello from the fake provider.',
    )
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['jan-v1-4b']))
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(12)
  })

  it('streams with the documented headers and ends with [DONE]', async () => {
    const response = await post({ model: 'org/fake-model', messages: hello, stream: true })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    const text = await response.text()
    expect(text).toMatch(/^data: \{"id":"chatcmpl-fake"/)
    expect(text).toMatch(/\n\ndata: \[DONE\]\n\n$/)
    expect(text).toContain('"role":"assistant"')
  })

  it('answers a failure before the first byte with its status, and a later one inside the stream without [DONE]', async () => {
    const body = { model: 'org/fake-model', messages: hello, stream: true }
    fake.script(
      { status: 500 },
      { reset: 'mid-stream', chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'one' })] },
    )
    const refused = await post(body)
    expect(refused.status).toBe(502)
    expect(await refused.json()).toMatchObject({ error: { code: 'provider_error', type: 'upstream_error' } })
    const text = await (await post(body)).text()
    expect(text).toContain('"content":"one"')
    expect(text).toMatch(/data: \{"error":\{.*"code":"provider_error".*\}\}\n\n$/)
    expect(text).not.toContain('[DONE]')
  })

  it('stops the provider when the client leaves, streaming or not', async () => {
    for (const stream of [true, false]) {
      fake.script({ hang: stream ? 'mid-stream' : 'before-head', text: 'one two' })
      const leaving = new AbortController()
      const arrival = fake.request()
      const running = post({ model: 'org/fake-model', messages: hello, stream }, { signal: leaving.signal })
      const over = running.then((response) => response.text()).catch(() => 'left')
      const request = await arrival
      if (stream) await running
      leaving.abort()
      await request.left()
      expect(await over).toBe('left')
    }
  })

  it('refuses what is wrong with the name of the field', async () => {
    const refusal = async (body: object) => {
      const response = await post(body)
      const { error } = (await response.json()) as { error: { code: string; param: string } }
      return [response.status, error.code, error.param]
    }
    expect(await refusal({ messages: hello })).toEqual([400, 'missing_parameter', 'model'])
    expect(await refusal({ model: 'x', messages: [] })).toEqual([400, 'invalid_parameter', 'messages'])
    expect(await refusal({ model: 'x', messages: hello, temperature: 3 })).toEqual([
      400,
      'invalid_parameter',
      'temperature',
    ])
    expect(await refusal({ model: 'x', messages: hello, max_tokens: 0 })).toEqual([
      400,
      'invalid_parameter',
      'max_tokens',
    ])
    const wizard = { role: 'wizard', content: 'x' }
    expect(await refusal({ model: 'x', messages: [wizard] })).toEqual([
      400,
      'invalid_parameter',
      'messages[0].role',
    ])
    const untyped = { role: 'user', content: [{ text: 'x' }] }
    expect(await refusal({ model: 'x', messages: [...hello, ...hello, untyped] })).toEqual([
      400,
      'missing_parameter',
      'messages[2].content[0].type',
    ])
    expect(await refusal({ model: 'x', messages: hello })).toEqual([404, 'model_not_found', 'model'])
    const unknown = { id: 'conv_0123456789abcdef' }
    expect(await refusal({ model: 'org/fake-model', messages: hello, conversation: unknown })).toEqual([
      404,
      'conversation_not_found',
      'conversation',
    ])
  })
})

describe('a conversation', () => {
  it('takes part: both sides are stored once, and come before the next message', async () => {
    const ask = async (body: object) => {
      const response = await post({ model: 'org/fake-model', ...body })
      return (await response.json()) as { conversation: { id: string } }
    }
    const first = await ask({ messages: hello, conversation: {} })
    expect(first.conversation.id).toMatch(/^conv_/)
    const response = await post({
      model: 'org/fake-model',
      messages: [{ role: 'user', content: 'And now?' }],
      conversation: first.conversation.id,
      stream: true,
    })
    const text = await response.text()
    expect(text).toContain(`"conversation":{"id":"${first.conversation.id}"`)
    expect(fake.requests.at(-1)?.json?.messages).toEqual([
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hello from the fake provider.' },
      { role: 'user', content: 'And now?' },
    ])
  })
})

describe('models and embeddings', () => {
  it('are listed and retrieved by the OpenAI SDK, ids with slashes too', async () => {
    const ids: string[] = []
    for await (const model of client.models.list()) ids.push(model.id)
    expect(ids).toEqual(expect.arrayContaining(['org/fake-model', 'jan-v1-4b', 'jan-v2-30b']))
    expect(await client.models.retrieve('org/fake-model')).toMatchObject({
      id: 'org/fake-model',
      object: 'model',
    })
    await expect(client.models.retrieve('org/nothing')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })

  it('tell of providers when asked, and of their addresses to administrators', async () => {
    const get = async (path: string, headers = {}) =>
      (await (
        await fetch(server.url + path, {
          headers: { authorization: `Bearer ${server.adminKey}`, ...headers },
        })
      ).json()) as { data: Record<string, unknown>[] }
    const models = await get('/v1/models', { 'X-PROVIDER-DATA': 'true' })
    expect(models.data).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'org/fake-model', provider_vendor: 'vllm' })]),
    )
    const providers = await get('/v1/models/providers')
    expect(providers.data).toEqual(expect.arrayContaining([expect.objectContaining({ base_url: fake.url })]))
    const embedding = await get('/v1/models/catalogs?capability=embeddings')
    expect(embedding.data.map(({ id }) => id)).toContain('fake-embedding')
    expect(await get('/v1/models/catalogs/org/fake-model')).toMatchObject({ id: 'org/fake-model' })
  })

  it('embed as the SDK asks: base64 by default, floats where it says so', async () => {
    const plain = await client.embeddings.create({ model: 'fake-embedding', input: 'text' })
    expect(plain.data[0]?.embedding.map((value) => Math.round(value * 10) / 10)).toEqual([0.6, 0.8, 0])
    const floats = await client.embeddings.create({
      model: 'fake-embedding',
      input: ['a'],
      encoding_format: 'float',
    })
    expect(floats.data[0]?.embedding).toEqual([0.6, 0.8, 0])
  })
})
