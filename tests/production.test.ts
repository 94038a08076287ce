import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Answer, clientOf, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

const hashOf = (query: string) => createHash('sha256').update(query).digest('hex')
const meQuery = 'query Me { me { id } }'
const modelsQuery = 'query Models($first: Int) { models(first: $first) { nodes { id } } }'
const subscription =
  'subscription Chat($input: ChatCompletionInput!) { chatCompletion(input: $input) { content } }'

let folder: string
let server: TestServer
let client: TestClient
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jan-manifest-'))
  const manifest = join(folder, 'manifest.json')
  const operations = [meQuery, modelsQuery, subscription].map((body) => ({
    id: hashOf(body),
    body,
    type: 'query',
  }))
  await writeFile(
    manifest,
    JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }),
  )
  server = await startTestServer({
    ENVIRONMENT: 'production',
    DEVELOPMENT_MODEL: 'true',
    RATE_LIMIT_PROFILE: 'off',
    PERSISTED_OPERATIONS_FILE: manifest,
    PERSISTED_OPERATIONS_ONLY: 'true',
  })
  client = clientOf(server, server.adminKey)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

const post = (body: object, headers: Record<string, string> = {}) =>
  send(`${server.url}/graphql`, { method: 'POST', headers: { ...client.headers, ...headers }, json: body })
const byId = (query: string, variables = {}) => ({
  variables,
  extensions: { persistedQuery: { version: 1, sha256Hash: hashOf(query) } },
})
const codeOf = (answer: Answer) =>
  answer.json<{ errors?: { extensions: { code: string } }[] }>().errors?.[0]?.extensions.code

describe('registered operations', () => {
  it('are answered by their id and by their text', async () => {
    const answers = await Promise.all([post(byId(meQuery)), post({ query: meQuery })])
    for (const answer of answers) expect(answer.json()).toEqual({ data: { me: { id: expect.any(String) } } })
    const models = await post(byId(modelsQuery, { first: 1 }))
    expect(models.json()).toEqual({ data: { models: { nodes: [{ id: expect.any(String) }] } } })
  })

  it('are answered over GET, where a cache may stand in between', async () => {
    const extensions = encodeURIComponent(JSON.stringify(byId(modelsQuery).extensions))
    const variables = encodeURIComponent('{"first":1}')
    const answer = await send(`${server.url}/graphql?extensions=${extensions}&variables=${variables}`, {
      headers: { ...client.headers, 'apollo-require-preflight': 'true' },
    })
    expect(answer.json()).toEqual({ data: { models: { nodes: [{ id: expect.any(String) }] } } })
  })

  it('are answered as streams', async () => {
    const models = await post(byId(modelsQuery, { first: 1 }))
    const model = models.json<{ data: { models: { nodes: { id: string }[] } } }>().data.models.nodes[0]?.id
    const input = { model, messages: [{ role: 'USER', content: 'Hi' }] }
    const answer = await send(`${server.url}/graphql/stream`, {
      method: 'POST',
      headers: { ...client.headers, accept: 'text/event-stream' },
      json: byId(subscription, { input }),
    })
    expect(answer.text).toContain('"chatCompletion":{"content":')
  })

  it.each([
    ['another text', { query: '{ me { id email } }' }],
    ['another id', byId('{ me { id email } }')],
    ['another text under its id', { ...byId('{ __typename }'), query: '{ __typename }' }],
    ['a subscription', { query: 'subscription { chatCompletion(input: {}) { content } }' }],
  ])('are all that is answered: %s is refused', async (_, body) => {
    for (const path of ['/graphql', '/graphql/stream']) {
      const answer = await send(`${server.url}${path}`, {
        method: 'POST',
        headers: {
          ...client.headers,
          accept: path === '/graphql' ? 'application/json' : 'text/event-stream',
        },
        json: body,
      })
      expect({ path, status: answer.status, code: codeOf(answer) }).toEqual({
        path,
        status: 400,
        code: 'invalid_parameter',
      })
    }
  })

  it.each([
    '?a=?&query=QUERY',
    '?query=%7B__typename%7D&x=?&query=QUERY',
    '?&query=QUERY',
    '?query=QUERY&x=?',
  ])('are all that is answered over GET, however the URL is cut: %s', async (search) => {
    const query = encodeURIComponent('{ me { email } }')
    const answer = await send(`${server.url}/graphql${search.replace('QUERY', query)}`, {
      headers: client.headers,
    })
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('"me"')
  })

  it('are no way for many operations in one request', async () => {
    const answer = await send(`${server.url}/graphql`, {
      method: 'POST',
      headers: client.headers,
      json: [{ query: meQuery }, { query: meQuery }],
    })
    expect(answer.status).toBe(400)
  })
})

describe('in production', () => {
  it('no page explores the graph', async () => {
    for (const path of ['/graphql', '/graphql/graphiql']) {
      const page = await send(`${server.url}${path}`, { headers: { accept: 'text/html' } })
      expect(page.status).toBeGreaterThanOrEqual(400)
      expect(page.text).not.toContain('<html')
    }
  })

  it('a page of another site gets no operation in', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const answer = await send(`${server.url}/graphql`, {
        method: 'POST',
        headers: { ...client.headers, 'content-type': type, origin: 'https://evil.example' },
        body: JSON.stringify({ query: meQuery }),
      })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.text).not.toContain('"me"')
      expect(answer.headers.has('access-control-allow-origin')).toBe(false)
    }
    const query = encodeURIComponent(meQuery)
    const read = await send(`${server.url}/graphql?query=${query}`)
    expect(read.status).toBe(400)
    expect(read.text).not.toContain('"me"')
  })
})

describe('in production without registered operations', () => {
  let open: TestServer
  beforeAll(async () => {
    open = await startTestServer({ ENVIRONMENT: 'production' })
  }, 60_000)
  afterAll(() => open.stop())

  it('a crowd behind what is closed is refused as one', async () => {
    const query = `{ __schema { types { name } } ${'me { id } '.repeat(500)} }`
    const answer = await send(`${open.url}/graphql`, { method: 'POST', json: { query } })
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('more than 100 times')])
  })

  it.each(['{ __schema { types { name } } }', '{ __type(name: "User") { name } }'])(
    'the schema is not told: %s',
    async (query) => {
      const { errors, data } = await clientOf(open, open.adminKey).graphql(query)
      expect(data ?? null).toBeNull()
      expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    },
  )

  it('names of fields are not guessed for whoever misspells them', async () => {
    const { errors } = await clientOf(open, open.adminKey).graphql('{ me { emial } }')
    expect(errors?.[0]?.message).not.toContain('Did you mean')
  })

  it('callers have the documented limits', async () => {
    const answer = await clientOf(open, open.adminKey).get('/v1/models')
    expect(answer.headers.get('x-ratelimit-limit')).toBe('100')
  })

  it('automatic persisted queries work', async () => {
    const graph = (body: object) =>
      send(`${open.url}/graphql`, {
        method: 'POST',
        headers: clientOf(open, open.adminKey).headers,
        json: body,
      })
    expect(codeOf(await graph(byId(meQuery)))).toBe('PERSISTED_QUERY_NOT_FOUND')
    expect((await graph({ ...byId(meQuery), query: meQuery })).json()).toHaveProperty('data.me.id')
    expect((await graph(byId(meQuery))).json()).toHaveProperty('data.me.id')
  })
})
