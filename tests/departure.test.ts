import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let provider: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  provider = await startFakeProvider({ models: ['fake-model'] })
  server = await startTestServer({ REMOTE_LLM_PROVIDER_URL: provider.url, REMOTE_API_KEY: 'a-key' })
  client = await guest(server)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await provider.close()
})

const messages = [{ role: 'user', content: 'Speak slowly.' }]
/** Runs for minutes: only a client's leaving ends it within a test. */
const longAnswer = { text: 'word '.repeat(20_000), chunkDelayMs: 20 }

/** Starts a call, lets it run until the provider has it, leaves, and waits until the provider has noticed. */
async function leaveAfterStart(path: string, body: object, accept = 'application/json'): Promise<void> {
  const leaving = new AbortController()
  const arriving = provider.request()
  const call = fetch(`${server.url}${path}`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { ...client.headers, 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
  }).then((response) => response.text())
  const ended = expect(call).rejects.toThrow()
  const request = await arriving
  await sleep(150)
  leaving.abort()
  await request.left()
  await ended
}

/** Starts a stream and leaves when the first words are there. */
async function leaveAfterText(body: object): Promise<void> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...client.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  let text = ''
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString()
    if (text.split('word').length > 4) return
  }
}

/** The items of a conversation as soon as none is being written any more. */
async function itemsOnceEnded(id: string): Promise<Record<string, unknown>[]> {
  for (;;) {
    const { data } = (await client.get(`/v1/conversations/${id}/items?order=asc`)).json<{
      data: Record<string, unknown>[]
    }>()
    if (data.length === 2 && data.every(({ status }) => status !== 'in_progress')) return data
    await sleep(50)
  }
}

const graphqlInput = { model: 'fake-model', messages: [{ role: 'USER', content: 'Speak slowly.' }] }
const subscription = {
  query: 'subscription ($input: ChatCompletionInput!) { chatCompletion(input: $input) { content } }',
  variables: { input: graphqlInput },
}
const mutation = {
  query: 'mutation ($input: ChatCompletionInput!) { createChatCompletion(input: $input) { content } }',
  variables: { input: graphqlInput },
}

describe('a client that leaves stops the provider', () => {
  it('in a REST stream', async () => {
    provider.script(longAnswer)
    const body = { model: 'fake-model', messages, stream: true }
    await leaveAfterStart('/v1/chat/completions', body)
  })

  it('in a REST answer that has not begun', async () => {
    provider.script({ hang: 'before-head' })
    await leaveAfterStart('/v1/chat/completions', { model: 'fake-model', messages })
  })

  it('in a REST stream whose provider has not answered yet', async () => {
    provider.script({ hang: 'before-head' })
    const body = { model: 'fake-model', messages, stream: true }
    await leaveAfterStart('/v1/chat/completions', body)
  })

  it('in a GraphQL subscription over graphql-sse', async () => {
    provider.script(longAnswer)
    await leaveAfterStart('/graphql/stream', subscription, 'text/event-stream')
  })

  it('in a GraphQL subscription over multipart', async () => {
    provider.script(longAnswer)
    const accept = 'multipart/mixed;subscriptionSpec=1.0, application/json'
    await leaveAfterStart('/graphql', subscription, accept)
  })

  it('in a GraphQL mutation', async () => {
    provider.script({ hang: 'before-head' })
    await leaveAfterStart('/graphql', mutation)
  })

  it('in a stored stream, whose answer so far is kept as incomplete, once', async () => {
    provider.script(longAnswer)
    const { id } = (await client.post('/v1/conversations', {})).json<{ id: string }>()
    const arriving = provider.request()
    await leaveAfterText({ model: 'fake-model', messages, stream: true, conversation: id })
    await (await arriving).left()
    const data = await itemsOnceEnded(id)
    expect(data).toMatchObject([
      { role: 'user', status: 'completed' },
      { role: 'assistant', status: 'incomplete' },
    ])
    expect(JSON.stringify(data[1]?.content)).toContain('word word')
  })
})

describe('a request’s traces', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const call = (trace: string) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...client.headers,
        'content-type': 'application/json',
        'x-request-id': 'trace-me',
        traceparent: trace,
      },
      body: JSON.stringify({ model: 'fake-model', messages }),
    })

  it('reach the provider: its id, and the trace context as it came', async () => {
    const arriving = provider.request()
    await (await call(traceparent)).text()
    const { headers } = await arriving
    expect(headers).toMatchObject({ 'x-request-id': 'trace-me', traceparent })
  })

  it('do not where they are malformed', async () => {
    const arriving = provider.request()
    await (await call('00-00000000000000000000000000000000-b7ad6b7169203331-01')).text()
    expect((await arriving).headers).not.toHaveProperty('traceparent')
  })
})
