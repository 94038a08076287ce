import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, failure, readFrames } from './testing/caller.ts'

let fake: FakeProvider
let second: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['fake-model', 'org/other'], apiKey: 'sk-the-vllm-key' })
  second = await startFakeProvider({ models: ['fake-model', 'second-only'] })
  test = await startTestGraph({
    VLLM_PROVIDER_URL: fake.url,
    VLLM_INTERNAL_KEY: 'sk-the-vllm-key',
    REMOTE_LLM_PROVIDER_URL: second.url,
    MODEL_ALIASES: 'jan-v2-30b=org/other',
    PROVIDER_MAX_RETRIES: '0',
  })
})
afterAll(async () => {
  await test.stop()
  await fake.close()
  await second.close()
})

const hello = [{ role: 'user', content: 'Hello' }]
const complete = (body: object | string, signal?: AbortSignal) =>
  callerOf(test, someActor()).complete(body, signal)
const stream = (body: object, signal?: AbortSignal) => callerOf(test, someActor()).stream(body, signal)

describe('a completion', () => {
  it('hands unknown fields and large integers through to the provider and back, byte for byte', async () => {
    fake.script({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"id":"x","object":"chat.completion","created":1,"model":"fake-model","choices":[{"index":0,"message":{"role":"assistant","content":"ok","vendor_field":[1.0]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"big":12345678901234567890}',
    })
    const sent =
      '{"model":"fake-model","messages":[{"role":"user","content":"Hi","x_extra":{"a":1.0}}],"seed_big":98765432109876543210,"vendor":{"z":true}}'
    const answer = await complete(sent)
    expect(fake.requests.at(-1)?.body.toString()).toBe(sent)
    expect(answer).toContain('"big":12345678901234567890')
    expect(answer).toContain('"vendor_field":[1.0]')
  })

  it('sends the provider its own model id and none of our fields, and answers with the id that was asked for', async () => {
    const answer = JSON.parse(
      await complete({
        model: 'jan-v2-30b',
        messages: hello,
        store: false,
        store_reasoning: true,
        deep_research: false,
        enable_thinking: true,
        image: false,
        temperature: 0,
      }),
    )
    expect(fake.requests.at(-1)?.json).toEqual({ model: 'org/other', messages: hello, temperature: 0 })
    expect(fake.requests.at(-1)?.headers.authorization).toBe('Bearer sk-the-vllm-key')
    expect(answer.model).toBe('jan-v2-30b')
  })

  it('streams frame by frame with the id that was asked for, and always asks for the usage', async () => {
    const frames = await readFrames(await stream({ model: 'jan-v2-30b', messages: hello, stream: true }))
    expect(fake.requests.at(-1)?.json).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(new Set(frames.map(({ model }) => model))).toEqual(new Set(['jan-v2-30b']))
    const text = frames.map(
      (frame) => (frame.choices as { delta: { content?: string } }[])[0]?.delta.content ?? '',
    )
    expect(text.join('')).toBe('Hello from the fake provider.')
    expect(frames.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 12 } })
  })

  it('reads images and tool results as other clients write them', async () => {
    await complete({
      model: 'fake-model',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'image', data: 'AAAA', mimeType: 'image/png' },
          ],
        },
      ],
    })
    expect(fake.requests.at(-1)?.json?.messages).toEqual([
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
    ])
  })

  it('asks the next provider of a model where the first one fails, and tells the first failure where all do', async () => {
    fake.script({ status: 500 })
    await complete({ model: 'fake-model', messages: hello })
    expect(second.requests.at(-1)?.path).toBe('/v1/chat/completions')
    fake.script({ status: 429, headers: { 'retry-after': '7' } })
    second.script({ status: 500 })
    expect(await failure(complete({ model: 'fake-model', messages: hello }))).toMatchObject({
      code: 'provider_rate_limited',
      status: 429,
      retryAfter: 7,
    })
  })

  it('fails as its provider does: 502, 504, 400 with its param; and an unknown model is 404', async () => {
    const one = { model: 'org/other', messages: hello }
    fake.script(
      { status: 500 },
      { status: 504 },
      { status: 400, body: { error: { message: 'no', param: 'top_k' } } },
    )
    expect((await failure(complete(one))).status).toBe(502)
    expect((await failure(complete(one))).status).toBe(504)
    expect(await failure(complete(one))).toMatchObject({ status: 400, param: 'top_k' })
    expect(await failure(complete({ ...one, model: 'nobody' }))).toMatchObject({
      code: 'model_not_found',
      param: 'model',
    })
    fake.script({ status: 503 })
    expect((await failure(stream({ ...one, stream: true }))).status).toBe(502)
  })

  it('checks ranges and roles, and names the field', async () => {
    const refused = async (fields: object) =>
      (await failure(complete({ model: 'fake-model', messages: hello, ...fields }))).param
    expect(await refused({ temperature: 2.1 })).toBe('temperature')
    expect(await refused({ messages: [] })).toBe('messages')
    expect(await refused({ messages: [{ role: 'wizard', content: 'x' }] })).toBe('messages[0].role')
    expect(await refused({ messages: [{ role: 'user' }] })).toBe('messages[0].content')
    expect(await refused({ top_p: -1 })).toBe('top_p')
    expect(await refused({ conversation: 'conv_x' })).toBe('conversation')
  })
})

describe('a client that leaves', () => {
  it('stops the provider: whole answer', async () => {
    fake.script({ hang: 'before-head' })
    const leaving = new AbortController()
    const arrival = fake.request()
    const answer = failure(complete({ model: 'org/other', messages: hello }, leaving.signal))
    const request = await arrival
    leaving.abort()
    await request.left()
    expect((await answer).code).toBe('client_closed_request')
  })

  it('stops the provider: stream, by its signal and by return()', async () => {
    for (const leave of ['abort', 'return'] as const) {
      fake.script({ hang: 'mid-stream', text: 'one two' })
      const leaving = new AbortController()
      const arrival = fake.request()
      const events = await stream({ model: 'org/other', messages: hello, stream: true }, leaving.signal)
      await events.next()
      const request = await arrival
      if (leave === 'abort') leaving.abort()
      else await events.return?.()
      await request.left()
    }
  })

  it('stops the provider: GraphQL mutation and subscription', async () => {
    const input = '(input: { model: "org/other", messages: [{ role: USER, content: "Hello" }] })'
    for (const kind of ['mutation', 'subscription'] as const) {
      fake.script({ hang: kind === 'mutation' ? 'before-head' : 'mid-stream', text: 'one two' })
      const leaving = new AbortController()
      const arrival = fake.request()
      const context = test.contextFor(someActor(), leaving.signal)
      const field = kind === 'mutation' ? 'createChatCompletion' : 'chatCompletion'
      const request = { document: parse(`${kind} { ${field}${input} { id } }`), variables: {}, context }
      const running =
        kind === 'mutation' ? test.graph.clients.execute(request) : test.graph.clients.subscribe(request)
      const seen = await arrival
      leaving.abort()
      await seen.left()
      await running
    }
  })
})

describe('the typed operations', () => {
  it('yield one event a chunk, with the same text, fields of other subgraphs and the raw chunk', async () => {
    const opened = await test.graph.clients.subscribe({
      document: parse(`subscription {
        chatCompletion(input: { model: "jan-v2-30b", messages: [{ role: USER, content: "Hello" }], topK: 5, extra: { vendor: 1 } }) {
          content raw model { id aliasOf { id } } choices { delta { role content } finishReason } usage { totalTokens isEstimated }
        }
      }`),
      variables: {},
      context: test.contextFor(),
    })
    if (!(Symbol.asyncIterator in opened)) throw new Error(JSON.stringify(opened))
    const chunks: Record<string, unknown>[] = []
    for await (const { data, errors } of opened) {
      expect(errors).toBeUndefined()
      chunks.push(data?.chatCompletion as Record<string, unknown>)
    }
    expect(fake.requests.at(-1)?.json).toMatchObject({
      model: 'org/other',
      top_k: 5,
      vendor: 1,
      stream: true,
    })
    expect(chunks).toHaveLength(8)
    expect(chunks.map(({ content }) => content ?? '').join('')).toBe('Hello from the fake provider.')
    expect(chunks[0]).toMatchObject({
      model: { id: 'jan-v2-30b', aliasOf: { id: 'org/other' } },
      choices: [{ delta: { role: 'ASSISTANT' } }],
      raw: { model: 'jan-v2-30b' },
    })
    expect(chunks.at(-1)).toMatchObject({ usage: { totalTokens: 12, isEstimated: false } })
  })

  it('embed texts, and refuse nobody', async () => {
    const run = (actor: Actor | null) =>
      test.graph.clients.execute({
        document: parse(
          'mutation { createEmbeddings(input: { model: "fake-model", input: ["a", "b"] }) { modelId data { index embedding } } }',
        ),
        variables: {},
        context: test.contextFor(actor),
      })
    expect((await run(someActor())).data).toEqual({
      createEmbeddings: {
        modelId: 'fake-model',
        data: [
          { index: 0, embedding: [0.6, 0.8, 0] },
          { index: 1, embedding: [0.6, 0.8, 0] },
        ],
      },
    })
    expect((await run(null)).errors?.[0]?.extensions).toMatchObject({ code: 'missing_credentials' })
  })
})
