import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { clientOf, guest, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: TestClient
/** What the model that names conversations answers, by a word of what its user said. */
const titles = new Map<string, { readonly text: string; readonly headDelayMs?: number }>()
beforeAll(async () => {
  fake = await startFakeProvider({
    models: ['fake-model', 'namer'],
    answer: ({ json }) => {
      if (json?.model !== 'namer') return null
      const said = JSON.stringify(json.messages)
      for (const [word, behaviour] of titles) if (said.includes(word)) return behaviour
      return { status: 500, body: { error: { message: 'No title was planned.' } } }
    },
  })
  server = await startTestServer({
    VLLM_PROVIDER_URL: fake.url,
    CONVERSATION_TITLE_GENERATION_ENABLED: 'true',
    CONVERSATION_TITLE_GENERATION_MODEL_ID: 'namer',
  })
  client = clientOf(server, server.adminKey)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

interface Conversation {
  readonly id: string
  readonly title: string
}

const ask = async (content: string, conversation: unknown = {}): Promise<Conversation> => {
  const body = { model: 'fake-model', conversation, messages: [{ role: 'user', content }] }
  const answer = await client.post('/v1/chat/completions', body)
  expect({ status: answer.status, output: server.output() }).toMatchObject({ status: 200 })
  return answer.json<{ conversation: Conversation }>().conversation
}

const read = async (id: string) => (await client.get(`/v1/conversations/${id}`)).json<Conversation>()

/** Polls until the conversation has that title; the last one fails the test. */
async function titleBecomes(id: string, title: string): Promise<void> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const now = (await read(id)).title
    if (now === title || Date.now() > deadline) return expect(now).toBe(title)
    await sleep(100)
  }
}

const namings = (word: string) =>
  fake.requests.filter(({ json }) => json?.model === 'namer' && JSON.stringify(json).includes(word))

describe('titles by a model, over REST', () => {
  it('take the place of the first message after the answer, in lists too', async () => {
    titles.set('onions', { text: '**Title:** "Layers of onions"\nAs you asked.', headDelayMs: 500 })
    const { id, title } = await ask('How are onions built?')
    expect(title).toBe('How are onions built')
    await titleBecomes(id, 'Layers of onions')
    const { data } = (await client.get('/v1/conversations')).json<{ data: Conversation[] }>()
    expect(data.find((one) => one.id === id)?.title).toBe('Layers of onions')
    expect(namings('onions')).toHaveLength(1)
  })

  it('are made after a stream of the OpenAI SDK in a conversation that was there, for a guest too', async () => {
    titles.set('rivers', { text: 'Where rivers go' })
    const visitor = await guest(server)
    const { id } = (await visitor.post('/v1/conversations', {})).json<Conversation>()
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: visitor.token, maxRetries: 0 })
    const stream = await openai.chat.completions.create({
      model: 'fake-model',
      stream: true,
      messages: [{ role: 'user', content: 'Where do rivers go?' }],
      ...{ conversation: id },
    })
    for await (const _ of stream);
    const deadline = Date.now() + 20_000
    const now = async () => (await visitor.get(`/v1/conversations/${id}`)).json<Conversation>().title
    while ((await now()) !== 'Where rivers go' && Date.now() < deadline) await sleep(100)
    expect(await now()).toBe('Where rivers go')
  })

  it('never take the place of one that a person chose meanwhile, or before', async () => {
    titles.set('castles', { text: 'Too late', headDelayMs: 1_500 })
    titles.set('bridges', { text: 'Never asked for' })
    titles.set('towers', { text: 'Of towers' })
    const { id } = await ask('How are castles built?')
    const naming = await eventually(() => namings('castles')[0])
    await client.patch(`/v1/conversations/${id}`, { title: 'My castles' })
    const chosen = (await client.post('/v1/conversations', { title: 'My bridges' })).json<Conversation>()
    await ask('How are bridges built?', chosen.id)
    await eventually(() => naming.bytesSent > 0)
    // named after both of them: what was to come of them has come
    await titleBecomes((await ask('How are towers built?')).id, 'Of towers')
    expect((await read(id)).title).toBe('My castles')
    expect((await read(chosen.id)).title).toBe('My bridges')
    expect(namings('bridges')).toEqual([])
  })

  it('stay the first message where the model fails', async () => {
    const { id } = await ask('How are failures told?')
    await eventually(() => namings('failures')[0])
    titles.set('clouds', { text: 'Of clouds' })
    await titleBecomes((await ask('How are clouds made?')).id, 'Of clouds')
    expect((await read(id)).title).toBe('How are failures told')
  })
})

/** Polls until there is something; nothing within 20 s fails the test. */
async function eventually<T>(look: () => T): Promise<NonNullable<T>> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = look()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`It never came to that.\n${server.output()}`)
    await sleep(50)
  }
}
