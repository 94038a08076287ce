import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let openai: OpenAI
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({
    VLLM_PROVIDER_URL: fake.url,
    MODEL_ALIASES: 'jan-v1-4b=jan-dev,jan-v2-30b=jan-dev',
  })
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: (await guest(server)).token, maxRetries: 0 })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

const hello = [{ role: 'user' as const, content: 'Hello!' }]
const weather = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

describe('the official OpenAI SDK, unmodified', () => {
  it('lists and retrieves models', async () => {
    const ids: string[] = []
    for await (const model of openai.models.list()) ids.push(model.id)
    expect(ids).toEqual(expect.arrayContaining(['jan-v1-4b', 'jan-v2-30b', 'jan-dev']))
    expect(await openai.models.retrieve('jan-dev')).toMatchObject({ id: 'jan-dev', object: 'model' })
    await expect(openai.models.retrieve('nobody/has-this')).rejects.toBeInstanceOf(NotFoundError)
  })

  it('may be used in a page: all that it sends by itself passes a preflight', async () => {
    const names = new Set<string>()
    const page = new OpenAI({
      baseURL: openai.baseURL,
      apiKey: openai.apiKey,
      organization: 'org',
      project: 'project',
      dangerouslyAllowBrowser: true,
      fetch(url, init) {
        for (const [name] of new Headers(init?.headers)) names.add(name)
        return fetch(url, init)
      },
    })
    await page.chat.completions.create({ model: 'jan-v1-4b', messages: hello })
    await page.chat.completions.stream({ model: 'jan-v1-4b', messages: hello }).finalMessage()
    expect([...names]).toContain('x-stainless-helper-method')
    const preflight = await fetch(`${openai.baseURL}/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': [...names].join(),
      },
    })
    expect(preflight.status).toBe(204)
    const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(',')
    // a page can't set its user agent
    expect([...names].filter((name) => name !== 'user-agent' && !allowed.includes(name))).toEqual([])
  })

  it('completes', async () => {
    const completion = await openai.chat.completions.create({ model: 'jan-v1-4b', messages: hello })
    expect(completion).toMatchObject({ object: 'chat.completion', model: 'jan-v1-4b' })
    expect(completion.id).toMatch(/^chatcmpl-/)
    expect(completion.choices[0]?.message.content).toContain('Hello!')
    expect(completion.choices[0]?.message.content).toContain('development model')
    expect(completion.usage?.total_tokens).toBeGreaterThan(0)
  })

  it('streams, chunk by chunk, with usage where asked for', async () => {
    const stream = await openai.chat.completions.create({
      model: 'jan-v1-4b',
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant')
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['jan-v1-4b']))
    expect(chunks.filter(({ choices }) => choices[0]?.delta.content).length).toBeGreaterThan(3)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toContain('Hello!')
    expect(chunks.some(({ choices }) => choices[0]?.finish_reason === 'stop')).toBe(true)
    expect(chunks.some(({ usage }) => (usage?.total_tokens ?? 0) > 0)).toBe(true)
  })

  it('works with the stream helper', async () => {
    const runner = openai.chat.completions.stream({ model: 'jan-v1-4b', messages: hello })
    const deltas: string[] = []
    runner.on('content', (delta) => deltas.push(delta))
    const final = await runner.finalChatCompletion()
    expect(final.choices[0]?.message.content).toBe(deltas.join(''))
  })

  it('returns tool calls, plain and streamed, and takes their results', async () => {
    const request = {
      model: 'jan-v2-30b',
      messages: [{ role: 'user' as const, content: 'Call get_weather for Hanoi.' }],
      tools: [weather],
      tool_choice: 'required' as const,
    }
    const completion = await openai.chat.completions.create(request)
    const call = completion.choices[0]?.message.tool_calls?.[0]
    if (call?.type !== 'function') throw new Error('no function was called')
    expect(call.function.name).toBe('get_weather')
    expect(JSON.parse(call.function.arguments)).toHaveProperty('city')
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion()
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'get_weather' } })

    const answer = await openai.chat.completions.create({
      model: 'jan-v2-30b',
      messages: [
        ...request.messages,
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: 'sunny, 31 degrees' },
      ],
      tools: [weather],
    })
    expect(answer.choices[0]?.message.content).toContain('sunny')
  })

  it('keeps to response_format', async () => {
    const completion = await openai.chat.completions.create({
      model: 'jan-v1-4b',
      messages: hello,
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'greeting',
          schema: {
            type: 'object',
            properties: { text: { type: 'string' }, count: { type: 'integer' } },
            required: ['text', 'count'],
          },
        },
      },
    })
    const value = JSON.parse(completion.choices[0]?.message.content ?? '') as Record<string, unknown>
    expect(typeof value.text).toBe('string')
    expect(Number.isInteger(value.count)).toBe(true)
  })

  it('parses what a zod schema describes', async () => {
    const completion = await openai.chat.completions.parse({
      model: 'jan-v1-4b',
      messages: hello,
      response_format: zodResponseFormat(z.object({ text: z.string(), count: z.int() }), 'greeting'),
    })
    expect(completion.choices[0]?.message.parsed).toEqual({
      text: expect.any(String),
      count: expect.any(Number),
    })
  })

  it('runs tools by itself', async () => {
    const runner = openai.chat.completions.runTools({
      model: 'jan-v2-30b',
      messages: [{ role: 'user', content: 'Call get_weather for Hanoi.' }],
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parse: JSON.parse,
            function: ({ city }: { city: string }) => `It is sunny in ${city}.`,
          },
        },
      ],
    })
    expect(await runner.finalContent()).toContain('It is sunny in')
  })

  it('stops the provider when it aborts a stream', async () => {
    fake.script({ text: 'one two three', hang: 'mid-stream' })
    const arriving = fake.request()
    const stream = await openai.chat.completions.create({
      model: 'fake-model',
      messages: hello,
      stream: true,
    })
    for await (const _ of stream) stream.controller.abort()
    await (await arriving).left()
  })

  it('throws when the provider fails in the middle of a stream', async () => {
    fake.script({ chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })], done: false })
    const stream = await openai.chat.completions.create({
      model: 'fake-model',
      messages: hello,
      stream: true,
    })
    const texts: unknown[] = []
    const read = async () => {
      for await (const { choices } of stream) texts.push(choices[0]?.delta.content ?? '')
    }
    await expect(read()).rejects.toMatchObject({ code: 'provider_error', type: 'upstream_error' })
    expect(texts.join('')).toBe('half')
  })

  it('embeds, as floats and as base64', async () => {
    const embedded = await openai.embeddings.create({ model: 'jan-dev-embedding', input: ['one', 'two'] })
    expect(embedded.data).toHaveLength(2)
    const floats = await openai.embeddings.create({
      model: 'jan-dev-embedding',
      input: 'one',
      encoding_format: 'float',
    })
    expect(floats.data[0]?.embedding.length).toBe(embedded.data[0]?.embedding.length)
    floats.data[0]?.embedding.forEach((value, at) => {
      expect(value).toBeCloseTo(embedded.data[0]?.embedding[at] ?? Number.NaN, 5)
    })
  })

  it('takes an API key as well', async () => {
    const created = await fetch(`${server.url}/auth/api-keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${openai.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'sdk' }),
    })
    const { key } = (await created.json()) as { key: string }
    const withKey = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key })
    const completion = await withKey.chat.completions.create({ model: 'jan-v1-4b', messages: hello })
    expect(completion.choices[0]?.message.content).toContain('Hello!')
  })

  it('throws its own typed errors on ours', async () => {
    const unknownModel = openai.chat.completions.create({ model: 'no-such-model', messages: hello })
    await expect(unknownModel).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
    const tooHot = openai.chat.completions.create({ model: 'jan-v1-4b', messages: hello, temperature: 3 })
    await expect(tooHot).rejects.toMatchObject({ status: 400, param: 'temperature' })
    await expect(tooHot).rejects.toBeInstanceOf(BadRequestError)
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'nonsense', maxRetries: 0 })
    await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError)
    await expect(stranger.models.list()).rejects.toBeInstanceOf(APIError)
  })
})
