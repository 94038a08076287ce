import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import packageFile from '../package.json' with { type: 'json' }
import { type Answer, guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let server: TestServer
let client: TestClient
beforeAll(async () => {
  server = await startTestServer({ MAX_BODY_BYTES: String(2 * 1024 * 1024) })
  client = await guest(server)
}, 60_000)
afterAll(() => server.stop())

function expectEnvelope(answer: Answer, status: number, code: string, param: string | null = null): void {
  expect(answer.headers.get('content-type')).toContain('application/json')
  const body = answer.json<{ error: Record<string, unknown>; message: string }>()
  expect({ status: answer.status, ...body.error }).toMatchObject({ status, code, param })
  expect(body.error.request_id).toBe(answer.headers.get('x-request-id'))
  expect(body.message).toBe(body.error.message)
}

const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  send(`${server.url}${path}`, {
    method: 'POST',
    body,
    headers: { ...client.headers, 'content-type': 'application/json', ...headers },
  })

describe('the error envelope', () => {
  it('stands on unknown routes, other versions included', async () => {
    expectEnvelope(await client.get('/v1/nothing'), 404, 'route_not_found')
    expectEnvelope(await client.get('/v2/models'), 404, 'route_not_found')
  })

  it('names the methods that a known path takes', async () => {
    const answer = await send(`${server.url}/v1/projects`, { method: 'PUT', headers: client.headers })
    expectEnvelope(answer, 405, 'method_not_allowed')
    expect(answer.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS')
  })

  it.each([
    ['POST', '/healthz'],
    ['DELETE', '/readyz'],
    ['PUT', '/mcp/readyz'],
    ['PATCH', '/healthcheck'],
    ['POST', '/llm/healthz'],
    ['POST', '/response/healthz'],
    ['POST', '/api/swagger/index.html'],
    ['DELETE', '/api/swagger'],
    ['POST', '/api/swagger/doc.json'],
    ['POST', '/api/swagger/start.js'],
    ['POST', '/api/swagger/swagger-ui.css'],
  ])('names the methods of what is only read too: %s %s', async (method, path) => {
    const answer = await send(`${server.url}${path}`, { method })
    expectEnvelope(answer, 405, 'method_not_allowed')
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })

  it('tells malformed JSON, invalid UTF-8, deep nesting and a missing body apart from the rest as invalid_json', async () => {
    expectEnvelope(await post('/v1/projects', '{"name": '), 400, 'invalid_json')
    expectEnvelope(await post('/v1/projects', Buffer.from([0x22, 0xff, 0xfe, 0x22])), 400, 'invalid_json')
    expectEnvelope(await post('/v1/projects', '['.repeat(800_000)), 400, 'invalid_json')
    expectEnvelope(await post('/v1/projects', ''), 400, 'invalid_json')
    expectEnvelope(
      await post('/v1/projects', `{"name":${'['.repeat(70)}${']'.repeat(70)}}`),
      400,
      'invalid_json',
    )
  })

  it('names the missing field and the wrong one', async () => {
    expectEnvelope(await client.post('/v1/projects', {}), 400, 'missing_parameter', 'name')
    expectEnvelope(await client.post('/v1/projects', { name: 7 }), 400, 'invalid_parameter', 'name')
    expectEnvelope(await client.post('/v1/projects', []), 400, 'invalid_parameter')
    expectEnvelope(
      await client.post('/v1/projects', { name: 'x'.repeat(121) }),
      400,
      'invalid_parameter',
      'name',
    )
    expectEnvelope(
      await client.post('/v1/projects', { name: 'nul \u0000' }),
      400,
      'invalid_parameter',
      'name',
    )
    expectEnvelope(await client.get('/v1/projects?limit=none'), 400, 'invalid_parameter', 'limit')
    expectEnvelope(await client.get('/v1/projects?limit=0'), 400, 'invalid_parameter', 'limit')
    expectEnvelope(
      await client.get('/v1/projects?after=proj_0000000000000000'),
      400,
      'invalid_cursor',
      'after',
    )
    expectEnvelope(await client.get('/v1/projects/nonsense'), 400, 'invalid_id', 'project_id')
    expectEnvelope(await client.get('/v1/projects/proj_0000000000000000'), 404, 'project_not_found')
  })

  it('clamps a limit or offset of any size, and takes an empty cursor for none', async () => {
    const { id } = (await client.post('/v1/projects', { name: 'Alone' })).json<{ id: string }>()
    const ids = async (query: string) => {
      const answer = await client.get(`/v1/projects?${query}`)
      const { data } = answer.json<{ data?: { id: string }[] }>()
      return { status: answer.status, ids: data?.map((project) => project.id) }
    }
    for (const limit of ['101', '10000000000', '9'.repeat(400)])
      expect(await ids(`limit=${limit}`)).toEqual({ status: 200, ids: expect.arrayContaining([id]) })
    expect(await ids('offset=10000000000')).toEqual({ status: 200, ids: [] })
    expectEnvelope(await client.get('/v1/projects?limit=1e3'), 400, 'invalid_parameter', 'limit')
    for (const query of ['after=', 'cursor=', 'after=&cursor='])
      expect(await ids(query)).toEqual({ status: 200, ids: expect.arrayContaining([id]) })
    // an empty `after` does not hide the other name's cursor
    expect((await ids(`after=&cursor=${id}&order=asc`)).ids).not.toContain(id)
  })

  it('stands on refused pages of the list of stored completions, which is empty', async () => {
    const list = '/v1/chat/completions'
    expect((await client.get(`${list}?limit=20&order=asc&model=x`)).json()).toMatchObject({ data: [] })
    expectEnvelope(await client.get(`${list}?limit=0`), 400, 'invalid_parameter', 'limit')
    expectEnvelope(await client.get(`${list}?order=up`), 400, 'invalid_parameter', 'order')
    expectEnvelope(await client.get(`${list}?after=chatcmpl-1`), 400, 'invalid_cursor', 'after')
  })

  it('refuses bodies over the limit of their route', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(1024 * 1024) })
    expectEnvelope(await post('/v1/projects', large), 413, 'payload_too_large')
    const huge = JSON.stringify({
      model: 'jan-dev',
      messages: [{ role: 'user', content: 'x'.repeat(2 * 1024 * 1024) }],
    })
    expectEnvelope(await post('/v1/chat/completions', huge), 413, 'payload_too_large')
  })

  it('reads JSON under the types that curl sends, and refuses others', async () => {
    expectEnvelope(
      await post('/v1/projects', '<name/>', { 'content-type': 'application/xml' }),
      415,
      'unsupported_media_type',
    )
    const utf16 = await post('/v1/projects', Buffer.from('{"name":"x"}', 'utf16le'), {
      'content-type': 'application/json; charset="utf-16"',
    })
    expectEnvelope(utf16, 415, 'unsupported_media_type')
    const utf8 = await post('/v1/projects', '{"name":"in UTF-8"}', {
      'content-type': 'application/json; charset=UTF-8',
    })
    expect(utf8.status).toBe(201)
    const form = await post('/v1/projects', '{"name":"by curl -d"}', {
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(form.status).toBe(201)
  })

  it('asks for credentials and refuses bad ones', async () => {
    expectEnvelope(await send(`${server.url}/v1/projects`), 401, 'missing_credentials')
    expectEnvelope(
      await send(`${server.url}/v1/projects`, { headers: { authorization: 'Bearer a.b.c' } }),
      401,
      'invalid_token',
    )
    const unknownKey = `sk_live_${'0'.repeat(48)}`
    expectEnvelope(
      await send(`${server.url}/v1/projects`, { headers: { 'x-api-key': unknownKey } }),
      401,
      'invalid_api_key',
    )
  })

  it('keeps a printable request id and replaces any other', async () => {
    const kept = await send(`${server.url}/healthz`, { headers: { 'x-request-id': 'trace-1' } })
    expect(kept.headers.get('x-request-id')).toBe('trace-1')
    const spaced = await send(`${server.url}/healthz`, { headers: { 'x-request-id': 'trace 1 of 2' } })
    expect(spaced.headers.get('x-request-id')).toBe('trace 1 of 2')
    const replaced = await send(`${server.url}/healthz`, { headers: { 'x-request-id': 'x'.repeat(129) } })
    expect(replaced.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{24}$/)
  })

  it.each([
    ['has no host', 'GET /v1/models HTTP/1.1', 400, 'invalid_parameter'],
    [
      'expects what nobody knows',
      'GET /v1/models HTTP/1.1\r\nHost: x\r\nExpect: foo',
      417,
      'expectation_failed',
    ],
    [
      'announces a body that is too large',
      'POST /v1/projects HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2097153',
      413,
      'payload_too_large',
    ],
  ])('stands on a refusal of a head that %s, and closes', async (_, head, status, code) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`${head}\r\nX-Request-Id: of-this-head\r\n\r\n`)
    const answer = await text(socket)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code, request_id: 'of-this-head' },
    })
  })

  it('answers what is not HTTP with 400 and closes', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end('NONSENSE\r\n\r\n')
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { type: 'invalid_request_error' },
    })
  })
})

describe('the version', () => {
  it('is public, and says since when the settings are in force', async () => {
    const answer = await send(`${server.url}/v1/version`)
    expect(answer.status).toBe(200)
    const { env_reloaded_at: since, ...rest } = answer.json<{ env_reloaded_at: string }>()
    expect(rest).toEqual({ version: packageFile.version })
    expect(since).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(Date.parse(since)).toBeLessThanOrEqual(Date.now())
    expect((await send(`${server.url}/v1/version`)).text).toBe(answer.text)
  })
})

describe('health paths', () => {
  const paths = ['', '/llm', '/v1', '/llm/v1', '/mcp'].flatMap((family) => [
    `${family}/healthz`,
    `${family}/readyz`,
  ])
  it.each([...paths, '/media/healthz', '/responses/healthz', '/response/healthz'])(
    '%s may be read from any page, without credentials',
    async (path) => {
      const headers = { origin: 'https://elsewhere.example' }
      const read = await send(`${server.url}${path}`, { headers })
      const preflight = await send(`${server.url}${path}`, {
        method: 'OPTIONS',
        headers: { ...headers, 'access-control-request-method': 'GET' },
      })
      expect([read.status, preflight.status]).toEqual([200, 204])
      for (const answer of [read, preflight]) {
        expect(answer.headers.get('access-control-allow-origin')).toBe('*')
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
      }
    },
  )
})

describe('the documented path families', () => {
  it('are found in an absolute-form target too', async () => {
    const { host, hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET http://${host}/llm/v1/version HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('all reach the same routes', async () => {
    for (const path of [
      '/v1/projects',
      '/llm/v1/projects',
      '/auth/me',
      '/llm/auth/me',
      '/v1/auth/me',
      '/v1/users/me',
    ]) {
      expect({ path, status: (await client.get(path)).status }).toEqual({ path, status: 200 })
    }
    for (const path of [
      '/healthz',
      '/llm/healthz',
      '/v1/healthz',
      '/readyz',
      '/v1/readyz',
      '/media/healthz',
      '/mcp/healthz',
    ]) {
      expect({ path, status: (await send(`${server.url}${path}`)).status }).toEqual({ path, status: 200 })
    }
  })
})

describe('Swagger UI', () => {
  it('is served from bundled assets over the document of the routes', async () => {
    const page = await send(`${server.url}/api/swagger/index.html`)
    expect(page.text).toContain('swagger-ui-bundle.js')
    expect((await send(`${server.url}/api/swagger/swagger-ui-bundle.js`)).status).toBe(200)
    const document = (await send(`${server.url}/api/swagger/doc.json`)).json<{
      paths: object
      openapi: string
    }>()
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/v1/projects', '/v1/projects/{project_id}']),
    )
  })
})
