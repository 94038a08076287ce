import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['remembered'] })
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url })
}, 60_000)
afterAll(() => server.stop())

const call = (path: string, body?: object) =>
  fetch(server.url + path, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })

describe('a provider that is down when the platform starts again', () => {
  it('keeps its last known models, and fails as 502 when one is asked', async () => {
    await server.kill()
    await fake.close()
    await server.start()
    const { data } = (await (await call('/v1/models')).json()) as { data: { id: string }[] }
    expect(data.map(({ id }) => id)).toContain('remembered')
    const messages = [{ role: 'user', content: 'Hello' }]
    for (const stream of [false, true]) {
      const refused = await call('/v1/chat/completions', { model: 'remembered', messages, stream })
      expect(refused.status).toBe(502)
      expect(await refused.json()).toMatchObject({
        error: { type: 'upstream_error', code: 'provider_error' },
      })
    }
  }, 60_000)
})
