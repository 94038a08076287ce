import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePort } from '../platform/testing/free-port.ts'
import { guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

const services = ['llm-api', 'response-api', 'media-api', 'mcp-tools'] as const
type Service = (typeof services)[number]

let server: TestServer
let client: TestClient
let ports: Record<Service, number>
const at = (service: Service, path: string) => `http://127.0.0.1:${ports[service]}${path}`
beforeAll(async () => {
  const [llm, response, media, mcp] = await Promise.all([1, 2, 3, 4].map(() => freePort()))
  ports = { 'llm-api': llm, 'response-api': response, 'media-api': media, 'mcp-tools': mcp } as typeof ports
  server = await startTestServer({
    DIRECT_PORTS: 'true',
    HTTP_PORT: String(llm),
    RESPONSE_API_PORT: String(response),
    MEDIA_API_PORT: String(media),
    MCP_TOOLS_HTTP_PORT: String(mcp),
  })
  client = await guest(server)
}, 60_000)
afterAll(() => server.stop())

describe('a service’s own port', () => {
  it.each(services)('tells who answers and how it is: %s', async (service) => {
    const get = async (path: string) => (await send(at(service, path))).json()
    expect(await get('/')).toEqual({ service, status: 'ok' })
    expect(await get('/healthz')).toEqual({ status: service === 'llm-api' ? 'ok' : 'healthy' })
    expect(await get('/readyz')).toEqual({ status: 'ready' })
  })

  it('names the methods that its health takes', async () => {
    for (const path of ['/', '/healthz', '/v1/readyz', '/health/auth']) {
      const answer = await send(at('llm-api', path), { method: 'POST' })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    }
    expect((await send(at('mcp-tools', '/health/auth'), { method: 'POST' })).status).toBe(404)
  })

  it('tells whether tokens can be checked', async () => {
    expect((await send(at('llm-api', '/health/auth'))).json()).toEqual({ status: 'ready' })
  })

  it('answers its routes for a token', async () => {
    const { headers } = client
    const models = await send(at('llm-api', '/v1/models'), { headers })
    expect(models.status).toBe(200)
    expect(models.headers.get('x-auth-method')).toBe('jwt')
    const answer = await send(at('llm-api', '/v1/chat/completions'), {
      method: 'POST',
      headers,
      json: {
        model: models.json<{ data: { id: string }[] }>().data[0]?.id,
        messages: [{ role: 'user', content: 'Hi' }],
      },
    })
    expect(answer.status).toBe(200)
    expect((await send(at('llm-api', '/v1/auth/me'), { headers })).json()).toMatchObject({
      auth_method: 'jwt',
    })
    expect((await send(at('llm-api', '/auth/guest-login'), { method: 'POST' })).status).toBe(201)
  })

  it.each([
    ['as a bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
    ['in X-API-Key', (key: string) => ({ 'x-api-key': key })],
    ['beside a token', (key: string) => ({ ...client.headers, apikey: key })],
  ])('takes no API key %s', async (_, headers) => {
    const there = await send(at('llm-api', '/v1/models'), { headers: headers(server.adminKey) })
    expect(there.status).toBe(401)
    expect(there.json()).toMatchObject({ error: { type: 'auth_error', code: 'invalid_api_key' } })
  })

  it('answers nobody without a token', async () => {
    const answer = await send(at('llm-api', '/v1/models'))
    expect(answer.json()).toMatchObject({
      error: { code: 'missing_credentials', message: expect.stringContaining('at the gateway only') },
    })
  })

  it('has none of the gateway’s prefixes, and no route of another service', async () => {
    const { headers } = client
    const paths: [Service, string][] = [
      ['llm-api', '/llm/v1/models'],
      ['llm-api', '/graphql'],
      ['response-api', '/v1/models'],
      ['media-api', '/v1/conversations'],
      ['mcp-tools', '/v1/projects'],
    ]
    for (const [service, path] of paths) {
      const answer = await send(at(service, path), { headers })
      expect({ path, status: answer.status }).toEqual({ path, status: 404 })
      expect(answer.json()).toMatchObject({ error: { code: 'route_not_found' } })
    }
  })
})

describe('without the switch', () => {
  it('no other port is opened', async () => {
    const port = await freePort()
    const closed = await startTestServer({ HTTP_PORT: String(port) })
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
    await closed.stop()
  }, 60_000)
})
