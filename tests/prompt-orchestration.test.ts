import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({
    VLLM_PROVIDER_URL: fake.url,
    PROMPT_ORCHESTRATION_ENABLED: 'true',
    PROMPT_ORCHESTRATION_MEMORY: 'true',
  })
  client = await guest(server)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

const applied = 'x-applied-prompt-modules'
const chat = (body: object = {}, headers: Record<string, string> = {}, query = '') =>
  send(`${server.url}/v1/chat/completions${query}`, {
    method: 'POST',
    headers: { ...client.headers, ...headers },
    json: { model: 'fake-model', messages: [{ role: 'user', content: 'Hi' }], ...body },
  })
const system = () => ((fake.requests.at(-1)?.json?.messages ?? []) as { content: string }[])[0]?.content

describe('a chat completion', () => {
  it('tells in a header which modules made its prompt', async () => {
    const answer = await chat()
    expect(answer.status).toBe(200)
    expect(answer.headers.get(applied)).toBe('timing')
    expect(answer.json()).not.toHaveProperty('notes')
  })

  it('tells the same before the first byte of a stream', async () => {
    const answer = await chat({ stream: true }, { 'x-prompt-memory': 'Likes tea;Lives in Oslo' })
    expect(answer.headers.get('content-type')).toMatch('text/event-stream')
    expect(answer.headers.get(applied)).toBe('timing,memory')
    expect(answer.text).toMatch(/^data: \{"id"[\s\S]*data: \[DONE\]\n\n$/)
    expect(system()).toMatch(/- Likes tea\n- Lives in Oslo/)
  })

  it('reads persona and language, the parameter before the header, in UTF-8', async () => {
    const persona = Buffer.from('una araña').toString('latin1')
    await chat({}, { 'x-prompt-persona': persona, 'accept-language': 'es-MX,en;q=0.5' })
    expect(system()).toMatch(/persona: una araña\n.*Mexican Spanish \(es-MX\)/)
    await chat({}, { 'x-prompt-persona': persona }, '?persona=a%20robot')
    expect(system()).toContain('persona: a robot')
  })

  it('keeps the header for who repeats it by its key', async () => {
    const headers = { 'idempotency-key': 'orchestrated' }
    const first = await chat({}, headers)
    const again = await chat({}, headers)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.headers.get(applied)).toBe(first.headers.get(applied))
    expect(again.headers.get(applied)).toBe('timing')
  })

  it('follows the user’s settings soon after they were changed', async () => {
    await chat()
    const profile_settings = { nick_name: 'Ada' }
    await client.patch('/v1/users/me/settings', { profile_settings })
    let modules = ''
    for (let tries = 0; tries < 100 && modules !== 'timing,user_profile'; tries += 1)
      modules = (await chat()).headers.get(applied) ?? ''
    expect(modules).toBe('timing,user_profile')
    expect(system()).toContain('Name: Ada')
  })
})
