import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { clientOf, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  fake = await startFakeProvider({ models: [{ id: 'small', context_length: 300 }] })
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url })
  client = clientOf(server, server.adminKey)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

const said = (content: string) => ({ role: 'user' as const, content })
const answered = (content: string) => ({ role: 'assistant' as const, content })
/** About a hundred tokens. */
const long = (letter: string) => letter.repeat(400)
const messages = [said(long('1')), answered(long('2')), said(long('3')), answered(long('4')), said('5')]
const newest = messages.slice(2)
const request = { model: 'small', max_tokens: 50, messages }

describe('a conversation that is longer than the model takes', () => {
  it('is told from where it fits; the answer says so', async () => {
    const { status, json } = await client.post('/v1/chat/completions', request)
    expect({ status, trimmed: json<{ trimmed?: boolean }>().trimmed }).toEqual({ status: 200, trimmed: true })
    expect(fake.requests.at(-1)?.json?.messages).toEqual(newest)
  })

  it('says so to the OpenAI SDK in the last chunk of a stream', async () => {
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.adminKey, maxRetries: 0 })
    const stream = await openai.chat.completions.create({ ...request, stream: true })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(fake.requests.at(-1)?.json?.messages).toEqual(newest)
    expect(chunks.filter((chunk) => 'trimmed' in chunk)).toEqual([chunks.at(-1)])
    expect(chunks.at(-1)).toMatchObject({ trimmed: true, choices: [] })
  })

  it('says nothing where all of it fits', async () => {
    const { json } = await client.post('/v1/chat/completions', { ...request, messages: newest })
    expect(json()).not.toHaveProperty('trimmed')
    expect(fake.requests.at(-1)?.json?.messages).toEqual(newest)
  })
})

describe('a question of more than 24,000 tokens', () => {
  it('is refused with the documented code, naming the message', async () => {
    const { status, json } = await client.post('/v1/chat/completions', {
      ...request,
      messages: [said('x'.repeat(200_000))],
    })
    expect(status).toBe(400)
    expect(json<{ error: object }>().error).toMatchObject({
      code: 'input_too_large',
      param: 'messages[0].content',
    })
  })
})
