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

describe('a platform that is told to stop', () => {
  it('lets streams come to their end, keeps what they said, and takes nothing new', async () => {
    provider.script({ text: 'word '.repeat(100), chunkDelayMs: 20 })
    const { id } = (await client.post('/v1/conversations', {})).json<{ id: string }>()
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'fake-model',
        stream: true,
        conversation: id,
        messages: [{ role: 'user', content: 'Speak slowly.' }],
      }),
    })
    let text = ''
    let refused = ''
    for await (const piece of response.body ?? []) {
      if (text === '') {
        process.kill(server.pids().at(-1) as number, 'SIGTERM')
        refused = await refusal(`${server.url}/healthz`)
      }
      text += Buffer.from(piece).toString()
    }
    expect(refused).toBe('ECONNREFUSED')
    expect(text.split('word').length - 1).toBe(100)
    expect(text).toMatch(/data: \[DONE\]\n\n$/)

    await server.kill()
    await server.start()
    const { data } = (await client.get(`/v1/conversations/${id}/items?order=asc`)).json<{
      data: Record<string, unknown>[]
    }>()
    expect(data).toMatchObject([{ status: 'completed' }, { role: 'assistant', status: 'completed' }])
  }, 60_000)
})

describe('a platform of two processes of which one is told to stop', () => {
  it('lets a keyed run come to its end for whoever reads it at the other', async () => {
    const sibling = await startTestServer({
      REMOTE_LLM_PROVIDER_URL: provider.url,
      REMOTE_API_KEY: 'a-key',
      DATABASE_URL: server.databaseUrl,
      PUBLIC_URL: server.url,
    })
    provider.script({ text: 'word '.repeat(100), chunkDelayMs: 20 })
    const ask = (url: string) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...client.headers, 'content-type': 'application/json', 'idempotency-key': 'handed over' },
        body: JSON.stringify({
          model: 'fake-model',
          stream: true,
          messages: [{ role: 'user', content: 'Speak slowly.' }],
        }),
      })
    const begun = await ask(sibling.url)
    for await (const _ of begun.body ?? []) break
    const reading = ask(server.url).then((response) => response.text())
    await sibling.stop()
    const text = await reading
    expect(text.split('word').length - 1).toBe(100)
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
  }, 60_000)
})

/** Settles when new connections are refused. One that is being taken at that moment may still be hung up on. */
async function refusal(url: string): Promise<string> {
  for (;;) {
    try {
      await (await fetch(url, { headers: { connection: 'close' } })).text()
    } catch (error) {
      const { code } = (error as { cause?: { code?: string } }).cause ?? {}
      if (code === 'ECONNREFUSED') return code
    }
  }
}
