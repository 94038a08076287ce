import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { freePort } from '../platform/testing/free-port.ts'
import { dataUrlOf, testImage } from '../platform/testing/test-image.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: OpenAI
let metricsUrl: string
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['fake-model'] })
  const port = await freePort()
  metricsUrl = `http://127.0.0.1:${port}/metrics`
  server = await startTestServer({
    VLLM_PROVIDER_URL: fake.url,
    PROVIDER_MAX_RETRIES: '0',
    METRICS_PORT: String(port),
    CONVERSATION_SHARING_ENABLED: 'true',
    MEMORY_ENABLED: 'true',
  })
  // It comes up just after the public port.
  while (!(await fetch(metricsUrl).catch(() => null))) await sleep(20)
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.adminKey, maxRetries: 0 })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

/** The value of a series: its name, and labels that it has among others. Null where there is none. */
async function metric(name: string, labels: Record<string, string> = {}): Promise<number | null> {
  const text = await (await fetch(metricsUrl)).text()
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const line = text
    .split('\n')
    .find(
      (candidate) =>
        new RegExp(`^${name}[{ ]`).test(candidate) && wanted.every((one) => candidate.includes(one)),
    )
  return line === undefined ? null : Number(line.split(' ').at(-1))
}

/** Counting comes just after the answer: what is not there yet may come within some seconds. */
async function metricIs(expected: number, name: string, labels: Record<string, string> = {}): Promise<void> {
  const deadline = performance.now() + 5_000
  while ((await metric(name, labels)) !== expected && performance.now() < deadline) await sleep(20)
  expect([name, labels, await metric(name, labels)]).toEqual([name, labels, expected])
}

const hello = { model: 'fake-model', messages: [{ role: 'user' as const, content: 'Hello' }] }

describe('/metrics', () => {
  it('tells requests by route, status and model, and of their callers', async () => {
    await client.chat.completions.create(hello)
    for await (const _ of await client.chat.completions.create({ ...hello, stream: true }));
    await fetch(`${server.url}/v1/conversations/conv_0123456789abcdef`, {
      headers: { authorization: `Bearer ${server.adminKey}`, 'user-agent': 'curl/8.5.0' },
    })
    await fetch(`${server.url}/v1/models`, { headers: { authorization: 'Bearer sk_live_wrong' } })
    await fetch(`${server.url}/such/a/secret?token=abc`)
    const requests = 'jan_llm_api_requests_total'
    const chat = { method: 'POST', endpoint: '/v1/chat/completions', status: '200', model: 'fake-model' }
    await metricIs(1, requests, { ...chat, stream: 'false' })
    await metricIs(1, requests, { ...chat, stream: 'true' })
    await metricIs(1, requests, { endpoint: '/v1/conversations/:conversation_id', status: '404', model: '' })
    await metricIs(1, requests, { endpoint: '/v1/models', status: '401' })
    await metricIs(1, requests, { endpoint: 'other', status: '404' })
    await metricIs(2, 'jan_llm_api_request_duration_seconds_count', { endpoint: chat.endpoint })
    await metricIs(3, 'jan_llm_api_auth_requests_total', { auth_type: 'api_key', status: 'success' })
    await metricIs(1, 'jan_llm_api_auth_requests_total', { status: 'refused' })
    await metricIs(2, 'jan_llm_api_user_agent_family_total', { family: 'openai-js' })
    await metricIs(1, 'jan_llm_api_user_agent_family_total', { family: 'curl' })
  })

  it('tells what models were asked, and how they answered', async () => {
    const of = { model: 'fake-model', provider: 'vLLM' }
    const now = async (name: string) => (await metric(`jan_llm_api_${name}`, of)) ?? 0
    const names = ['tokens_prompt_total', 'tokens_completion_total', 'tokens_per_request_count']
    const before = await Promise.all(names.map(now))
    const { usage } = await client.chat.completions.create(hello)
    const more = [usage?.prompt_tokens ?? 0, usage?.completion_tokens ?? 0, 1]
    for (const [at, name] of names.entries())
      await metricIs((before[at] ?? 0) + (more[at] ?? 0), `jan_llm_api_${name}`, of)
    expect(more).toEqual([7, 5, 1])
    await metricIs(1, 'jan_llm_api_provider_health', of)
    fake.script({ status: 503, body: { error: { message: 'busy' } } })
    await expect(client.chat.completions.create(hello)).rejects.toThrow()
    await metricIs(1, 'jan_llm_api_provider_errors_total', { provider: 'vLLM' })
  })

  it('tells how many streams go out', async () => {
    fake.script({ chunks: [chatChunk({ content: 'One' })], hang: 'mid-stream' })
    const leaving = new AbortController()
    const stream = await client.chat.completions.create(
      { ...hello, stream: true },
      { signal: leaving.signal },
    )
    const read = (async () => {
      for await (const _ of stream);
    })().catch(() => undefined)
    await metricIs(1, 'jan_llm_api_active_streams', { model: 'fake-model' })
    leaving.abort()
    await read
    await metricIs(0, 'jan_llm_api_active_streams', { model: 'fake-model' })
  })

  it('tells of conversations, shares, images and memories', async () => {
    const send = async (method: string, path: string, body?: object) => {
      const response = await fetch(server.url + path, {
        method,
        headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
        body: body ? JSON.stringify(body) : null,
      })
      return { status: response.status, body: (await response.json()) as Record<string, string> }
    }
    const message = (role: string) => ({ type: 'message', role, content: 'Words' })
    const made = await send('POST', '/v1/conversations', { items: [message('user'), message('assistant')] })
    await client.chat.completions.create({ ...hello, conversation: {} } as typeof hello)
    await metricIs(2, 'jan_llm_api_conversations_created_total')

    const share = await send('POST', `/v1/conversations/${made.body.id}/share`, {})
    await send('GET', `/v1/public/shares/${share.body.slug}`)
    await send('GET', `/v1/public/shares/${'x'.repeat(22)}`)
    await metricIs(1, 'jan_llm_api_shares_total', { scope: 'conversation' })
    await metricIs(1, 'jan_llm_api_public_share_requests_total', { status: 'found' })
    await metricIs(1, 'jan_llm_api_public_share_requests_total', { status: 'not_found' })

    const image = await testImage('png')
    const source = { type: 'data_url', data_url: dataUrlOf(image) }
    for (const deduped of ['false', 'true']) {
      expect((await send('POST', '/v1/media', { source })).status).toBeLessThan(300)
      await metricIs(1, 'jan_media_api_uploads_total', { deduped })
    }
    await metricIs(2 * image.length, 'jan_media_api_upload_bytes_total')
    await metricIs(2, 'jan_media_api_s3_operations_total', {
      operation: 'write',
      backend: 'local',
      status: 'ok',
    })
    await metricIs(2, 'jan_media_api_requests_total', { endpoint: '/v1/media', method: 'POST' })

    for (const _ of [1, 2]) await send('POST', '/v1/memory/load', { query: 'What do I like?' })
    await metricIs(2, 'jan_memory_load_total')
    await metricIs(2, 'jan_memory_requests_total', { endpoint: '/v1/memory/load' })
    // who learns from the turn above looks there too
    for (const name of ['cache_hits_total', 'cache_misses_total', 'vector_search_duration_seconds_count'])
      expect(await metric(`jan_memory_${name}`)).toBeGreaterThanOrEqual(1)
    await metricIs(1, 'jan_memory_observe_total', { status: 'accepted' })
  })

  it('has a port of its own: the public one knows nothing of it', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
  })

  it('tells neither ids nor texts nor credentials', async () => {
    const text = await (await fetch(metricsUrl)).text()
    expect(text).not.toMatch(/conv_|msg_|sk_live|Hello|token=|secret/)
  })
})
