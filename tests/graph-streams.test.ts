import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'graphql-sse'
import {
  type Behaviour,
  chatChunk,
  type FakeProvider,
  startFakeProvider,
} from '../platform/testing/fake-provider.ts'
import { guest, type TestClient } from './client.ts'
import { multipartParts } from './multipart-parts.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({
    VLLM_PROVIDER_URL: fake.url,
    MODEL_ALIASES: 'jan-v1-4b=jan-dev',
    PROVIDER_BREAKER_FAULTS: '0',
    STREAM_IDLE_TIMEOUT: '1s',
  })
  client = await guest(server)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

const messages = [{ role: 'user', content: 'Count the words of this sentence, please, one by one.' }]
const subscription = `subscription ($input: ChatCompletionInput!) {
  chatCompletion(input: $input) { content finishReason }
}`
const input = { model: 'jan-v1-4b', messages: messages.map(({ content }) => ({ role: 'USER', content })) }

interface ChunkEvent {
  chatCompletion: { content: string | null; finishReason: string | null }
}

/** The pieces of text of a stream, empty ones left out. */
const pieces = (contents: Iterable<string | null | undefined>) =>
  [...contents].filter((piece) => Boolean(piece))

async function restPieces(): Promise<unknown[]> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...client.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'jan-v1-4b', messages, stream: true }),
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const frames = (await response.text()).split('\n\n').filter((frame) => frame.startsWith('data: '))
  expect(frames.at(-1)).toBe('data: [DONE]')
  const chunks = frames
    .slice(0, -1)
    .map((frame) => JSON.parse(frame.slice(6)) as { choices: { delta: { content?: string } }[] })
  return pieces(chunks.map(({ choices }) => choices[0]?.delta.content))
}

async function ssePieces(): Promise<unknown[]> {
  const sse = createClient({ url: `${server.url}/graphql/stream`, headers: { ...client.headers } })
  const contents: (string | null | undefined)[] = []
  for await (const { data, errors } of sse.iterate<ChunkEvent>({
    query: subscription,
    variables: { input },
  })) {
    expect(errors).toBeUndefined()
    contents.push(data?.chatCompletion.content)
  }
  return pieces(contents)
}

async function multipartPieces(): Promise<unknown[]> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      ...client.headers,
      'content-type': 'application/json',
      accept: 'multipart/mixed;subscriptionSpec=1.0, application/json',
    },
    body: JSON.stringify({ query: subscription, variables: { input } }),
  })
  expect(response.headers.get('content-type')).toContain('multipart/mixed')
  const parts = multipartParts(await response.text()) as { payload?: { data: ChunkEvent } }[]
  return pieces(parts.map(({ payload }) => payload?.data.chatCompletion.content))
}

describe('subscription { chatCompletion }', () => {
  it('yields the same text, chunk by chunk, over graphql-sse and multipart as the REST stream', async () => {
    const rest = await restPieces()
    expect(rest.length).toBeGreaterThan(5)
    expect(await ssePieces()).toEqual(rest)
    expect(await multipartPieces()).toEqual(rest)
  })

  it('resolves fields of other subgraphs in every event', async () => {
    const created = await client.post('/v1/conversations', { title: 'Joined in an event' })
    const { id } = created.json<{ id: string }>()
    const sse = createClient({ url: `${server.url}/graphql/stream`, headers: { ...client.headers } })
    const query = `subscription ($input: ChatCompletionInput!) {
      chatCompletion(input: $input) { content conversation { id title } model { id displayName } }
    }`
    const titles: unknown[] = []
    for await (const { data, errors } of sse.iterate<{ chatCompletion: { conversation: { title: string } } }>(
      {
        query,
        variables: { input: { ...input, conversation: { id } } },
      },
    )) {
      expect(errors).toBeUndefined()
      titles.push(data?.chatCompletion.conversation?.title)
    }
    expect(titles.length).toBeGreaterThan(5)
    expect(new Set(titles)).toEqual(new Set(['Joined in an event']))
  })

  it('tells a refusal as an error before any event', async () => {
    const sse = createClient({ url: `${server.url}/graphql/stream`, headers: { ...client.headers } })
    const events: unknown[] = []
    for await (const event of sse.iterate({
      query: subscription,
      variables: { input: { ...input, model: 'no-such-model' } },
    })) {
      events.push(event)
    }
    expect(events).toMatchObject([{ errors: [{ extensions: { code: 'model_not_found', param: 'model' } }] }])
  })
})

describe('a provider that fails in the middle of a stream', () => {
  const begun = [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })]
  const faults: [string, Behaviour, string][] = [
    ['breaks the connection', { chunks: begun, reset: 'mid-stream' }, 'provider_error'],
    ['ends before the answer does', { chunks: begun, done: false }, 'provider_error'],
    ['sends an error', { chunks: [...begun, { error: { message: 'no', code: 500 } }] }, 'provider_error'],
    ['sends what is no JSON', { chunks: [...begun, 'oops'] }, 'provider_error'],
    ['falls silent', { chunks: begun, hang: 'mid-stream' }, 'upstream_timeout'],
  ]
  const faulty = { input: { ...input, model: 'fake-model' } }

  it.each(faults)('and %s is told by REST after what came before, without [DONE]', async (_, fault, code) => {
    fake.script(fault)
    const answer = await client.post('/v1/chat/completions', { model: 'fake-model', messages, stream: true })
    expect(answer.status).toBe(200)
    const frames = answer.text.split('\n\n').filter((frame) => frame.startsWith('data: '))
    expect(frames.join('')).not.toContain('[DONE]')
    const [last, ...earlier] = frames.map((frame) => JSON.parse(frame.slice('data: '.length))).reverse()
    expect(last).toMatchObject({ error: { code, type: 'upstream_error' } })
    expect(JSON.stringify(earlier)).toContain('half')
  })

  it.each(faults)('and %s is told over graphql-sse as an error after the events', async (_, fault, code) => {
    fake.script(fault)
    const sse = createClient({ url: `${server.url}/graphql/stream`, headers: { ...client.headers } })
    const events = []
    for await (const event of sse.iterate<ChunkEvent>({ query: subscription, variables: faulty }))
      events.push(event)
    const [last, ...earlier] = events.reverse()
    expect(last).toMatchObject({ errors: [{ extensions: { code } }] })
    expect(earlier.map(({ data }) => data?.chatCompletion.content)).toContain('half')
  })

  it.each(faults)('and %s is told over multipart as an error after the parts', async (_, fault, code) => {
    fake.script(fault)
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        ...client.headers,
        'content-type': 'application/json',
        accept: 'multipart/mixed;subscriptionSpec=1.0, application/json',
      },
      body: JSON.stringify({ query: subscription, variables: faulty }),
    })
    const [last, ...earlier] = multipartParts(await response.text()).reverse()
    expect(JSON.stringify(last)).toContain(`"code":"${code}"`)
    expect(JSON.stringify(earlier)).toContain('half')
  })
})

describe('one query', () => {
  it('joins a conversation, its project, its items and the model that wrote them', async () => {
    const project = (await client.post('/v1/projects', { name: 'Joined' })).json<{ id: string }>()
    const conversation = (
      await client.post('/v1/conversations', { title: 'Four subgraphs', project_id: project.id })
    ).json<{ id: string }>()
    await client.post('/v1/chat/completions', { model: 'jan-v1-4b', messages, conversation: conversation.id })
    const { data, errors } = await client.graphql<{ conversation: unknown }>(
      `query ($id: ID!) {
        me { isGuest }
        conversation(id: $id) {
          title
          project { name }
          items(first: 10, order: ASC) { nodes { role text modelId model { id displayName } } }
        }
      }`,
      { id: conversation.id },
    )
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({
      me: { isGuest: true },
      conversation: {
        title: 'Four subgraphs',
        project: { name: 'Joined' },
        items: {
          nodes: [
            { role: 'USER', text: messages[0]?.content, model: null },
            { role: 'ASSISTANT', modelId: 'jan-v1-4b', model: { id: 'jan-v1-4b' } },
          ],
        },
      },
    })
  })
})
