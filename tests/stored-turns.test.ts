import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { clientOf, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['fake-model'] })
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url })
  client = clientOf(server, server.adminKey)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

interface Item {
  id: string
  role: string
  status: string
  content: { text: string }[]
}

const itemsOf = async (id: string) =>
  (await client.get(`/v1/conversations/${id}/items?order=asc`)).json<{ data: Item[] }>().data

/** Polls until `wanted` holds; the last state fails the test. */
async function eventually(id: string, wanted: (items: Item[]) => boolean, withinMs: number): Promise<Item[]> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const items = await itemsOf(id)
    if (wanted(items) || Date.now() > deadline) return items
    await sleep(250)
  }
}

describe('a stored stream', () => {
  it('outlives kill -9: the question, and the answer as far as it was stored, as incomplete, once', async () => {
    const { id } = (await client.post('/v1/conversations', {})).json<{ id: string }>()
    const words = ['one ', 'two ', 'three ', 'four '].map((content) => chatChunk({ content }))
    fake.script({
      chunks: [chatChunk({ role: 'assistant' }), ...words],
      chunkDelayMs: 1_000,
      hang: 'mid-stream',
    })
    const body = {
      model: 'fake-model',
      stream: true,
      conversation: id,
      messages: [{ role: 'user', content: 'Count' }],
    }
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect({ status: response.status, output: server.output() }).toMatchObject({ status: 200 })
    const lost = response.text().then(
      () => false,
      () => true,
    )
    const begun = await eventually(id, (items) => items[1]?.content[0] !== undefined, 10_000)
    expect(begun).toMatchObject([{ role: 'user' }, { role: 'assistant', status: 'in_progress' }])

    await server.kill()
    expect(await lost).toBe(true)
    await server.start()
    const items = await eventually(id, ([, answer]) => answer?.status === 'incomplete', 20_000)
    expect(items).toMatchObject([
      { role: 'user', status: 'completed', content: [{ text: 'Count' }] },
      { role: 'assistant', status: 'incomplete', content: [{ text: expect.stringMatching(/^one /) }] },
    ])
    expect(items).toHaveLength(2)
  }, 90_000)
})
