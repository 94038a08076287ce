import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { freePort } from '../platform/testing/free-port.ts'
import { memoryProvider } from '../platform/testing/memory-provider.ts'
import { type Answer, guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'
import { sharedTestServer } from './shared-server.ts'

const serviceKey = 'a key for services of the tests'

let provider: FakeProvider
let server: TestServer
let port: number
beforeAll(async () => {
  provider = await startFakeProvider({
    models: ['fake-model', 'embed-1'],
    answer: memoryProvider(
      ({ conversation }) => ({
        user_facts: conversation.some(({ content }) => content.includes('allergic'))
          ? [{ scope: 'core', key: 'allergy', text: 'Is allergic to nuts.', importance: 'critical' }]
          : [],
      }),
      (text) => (/tea|drink/i.test(text) ? [1, 0] : [0, 1]),
    ),
  })
  port = await freePort()
  const others = await Promise.all([1, 2, 3, 4].map(() => freePort()))
  server = await startTestServer({
    VLLM_PROVIDER_URL: provider.url,
    MEMORY_ENABLED: 'true',
    MEMORY_EMBEDDING_MODEL_ID: 'embed-1',
    DIRECT_PORTS: 'true',
    HTTP_PORT: String(others[0]),
    RESPONSE_API_PORT: String(others[1]),
    MEDIA_API_PORT: String(others[2]),
    MCP_TOOLS_HTTP_PORT: String(others[3]),
    MEMORY_TOOLS_HTTP_PORT: String(port),
    MEMORY_TOOLS_API_KEY: serviceKey,
  })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await provider.close()
})

const tea = { scope: 'preference', key: 'tea', text: 'Drinks tea without sugar.', importance: 'low' }
const upsert = (client: TestClient, items: readonly object[]) =>
  client.post('/v1/memory/user/upsert', { items })

/** Asks until the answer is as it shall be: vectors and lessons are made in the background. */
async function until(ask: () => Promise<Answer>, holds: (answer: Answer) => boolean): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask()
    if (holds(answer) || tries > 100) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('memory over REST', () => {
  it('is written, listed, changed, counted, exported and deleted', async () => {
    const client = await guest(server)
    const written = await upsert(client, [tea])
    expect(written.status).toBe(200)
    const [id] = written.json<{ ids: string[] }>().ids
    expect((await client.get('/v1/memory')).json()).toMatchObject({
      object: 'list',
      data: [{ id, object: 'memory', ...tea, project_id: null, kind: null, conversation_id: null }],
      first_id: id,
      has_more: false,
      total: 1,
    })
    expect((await client.get('/v1/memory?scope=core')).json()).toMatchObject({ data: [], total: 0 })

    const changed = await client.patch(`/v1/memory/${id}`, { text: 'Drinks coffee.', importance: 'high' })
    expect(changed.json()).toMatchObject({ id, text: 'Drinks coffee.', data: { importance: 'high' } })
    expect((await client.get('/v1/memory/stats')).json()).toMatchObject({
      total: 1,
      preference: 1,
      limit: 1000,
    })

    const exported = await client.get('/v1/memory/export')
    expect(exported.headers.get('content-disposition')).toBe('attachment; filename="memories.json"')
    expect(exported.json()).toMatchObject({ memories: [{ id, text: 'Drinks coffee.' }] })

    const other = (await upsert(client, [{ ...tea, key: 'cake' }])).json<{ ids: string[] }>().ids
    expect((await client.post('/v1/memory/delete', { ids: other })).json()).toEqual({ deleted_count: 1 })
    const removed = await send(`${server.url}/v1/memory/delete`, {
      method: 'DELETE',
      headers: client.headers,
      json: { ids: [id, 'mem_0000000000000000'] },
    })
    expect(removed.json()).toEqual({ deleted_count: 1 })
    expect((await client.get('/v1/memory')).json()).toMatchObject({ data: [] })
  })

  it('is found by what it means, facts of a project too', async () => {
    const client = await guest(server)
    const project = (await client.post('/v1/projects', { name: 'Bar' })).json<{ id: string }>().id
    const facts = [{ kind: 'decision', title: 'menu', text: 'Only hot drinks.', confidence: 0.9 }]
    expect((await client.post('/v1/memory/project/upsert', { project_id: project, facts })).status).toBe(200)
    await upsert(client, [tea, { ...tea, key: 'fence', text: 'Wants it green.' }])
    const load = () => client.post('/v1/memory/load', { query: 'What to drink?', project_id: project })
    const answer = await until(load, ({ text }) => text.includes('Only hot') && text.includes('sugar'))
    expect(answer.json()).toEqual({
      core_memory: [expect.objectContaining({ key: 'tea', similarity: 1 })],
      semantic_memory: [
        expect.objectContaining({ key: 'menu', kind: 'decision', project_id: project, similarity: 1 }),
      ],
      episodic_memory: [],
    })
    const off = await client.post('/v1/memory/load', {
      query: 'What to drink?',
      options: { augment_with_memory: false },
    })
    expect(off.json()).toEqual({ core_memory: [], semantic_memory: [], episodic_memory: [] })
    expect((await client.post('/v1/embed/test')).json()).toEqual({
      status: 'ok',
      dimension: 2,
      model: 'embed-1',
    })
  })

  it('is learned from what is observed', async () => {
    const client = await guest(server)
    const conversation_id = (await client.post('/v1/conversations', {})).json<{ id: string }>().id
    const messages = [{ role: 'user', content: 'I am allergic to nuts.' }]
    const answer = await client.post('/v1/memory/observe', { conversation_id, messages })
    expect(answer.json()).toEqual({ status: 'accepted' })
    const list = await until(
      () => client.get('/v1/memory'),
      ({ text }) => text.includes('allergy'),
    )
    expect(list.json()).toMatchObject({ data: [{ key: 'allergy', importance: 'critical', conversation_id }] })
  })

  it('is the caller’s: any other user does not exist', async () => {
    const client = await guest(server)
    const own = (await client.get('/auth/me')).json<{ id: string }>().id
    expect((await client.get(`/v1/memory/stats?user_id=${own}`)).status).toBe(200)
    const other = (await (await guest(server)).get('/auth/me')).json<{ id: string }>().id
    for (const user_id of [other, '00000000-0000-4000-8000-000000000000', 'nobody']) {
      const answers = await Promise.all([
        client.post('/v1/memory/load', { user_id, query: 'q' }),
        client.post('/v1/memory/user/upsert', { user_id, items: [tea] }),
        client.post('/v1/memory/delete', { user_id, ids: [] }),
        client.get(`/v1/memory/stats?user_id=${user_id}`),
        client.get(`/v1/memory/export?user_id=${user_id}`),
      ])
      for (const answer of answers) {
        expect(answer.status).toBe(404)
        expect(answer.json()).toMatchObject({ error: { code: 'user_not_found', param: 'user_id' } })
      }
    }
  })

  it('names what is wrong', async () => {
    const client = await guest(server)
    const refused = async (path: string, body: object) =>
      (await client.post(path, body)).json<{ error: object }>().error
    expect(await refused('/v1/memory/load', {})).toMatchObject({ code: 'missing_parameter', param: 'query' })
    for (const most of [21, 2 ** 40])
      expect(
        await refused('/v1/memory/load', { query: 'q', options: { max_user_items: most } }),
      ).toMatchObject({ code: 'invalid_parameter', param: 'options.max_user_items' })
    expect(await refused('/v1/memory/user/upsert', { items: [{ ...tea, text: ' ' }] })).toMatchObject({
      code: 'invalid_parameter',
      param: 'items[0].text',
    })
    expect(await refused('/v1/memory/project/upsert', { project_id: 'x', facts: [] })).toMatchObject({
      code: 'invalid_id',
      param: 'project_id',
    })
  })
})

describe('the port for services', () => {
  const at = (path: string, json?: unknown, key = serviceKey) =>
    send(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${key}` },
      ...(json === undefined ? {} : { method: 'POST', json }),
    })

  it('tells how it is, to anybody', async () => {
    expect((await send(`http://127.0.0.1:${port}/`)).json()).toEqual({
      service: 'memory-tools',
      status: 'ok',
    })
    expect((await send(`http://127.0.0.1:${port}/healthz`)).json()).toEqual({ status: 'healthy' })
  })

  it('acts for the user who is named', async () => {
    const client = await guest(server)
    const user_id = (await client.get('/auth/me')).json<{ id: string }>().id
    const written = await at('/v1/memory/user/upsert', { user_id, items: [tea] })
    expect(written.status).toBe(200)
    expect((await client.get('/v1/memory')).json()).toMatchObject({ data: [{ key: 'tea' }] })
    expect((await at(`/v1/memory/stats?user_id=${user_id}`)).json()).toMatchObject({ total: 1 })
    const { ids } = written.json<{ ids: string[] }>()
    expect((await at('/v1/memory/delete', { user_id, ids })).json()).toEqual({ deleted_count: 1 })
    expect((await at('/v1/embed/test', {})).json()).toMatchObject({ status: 'ok', dimension: 2 })
  })

  it('knows nobody without a name, nor by a wrong one', async () => {
    expect((await at('/v1/memory/load', { query: 'q' })).json()).toMatchObject({
      error: { code: 'missing_parameter', param: 'user_id' },
    })
    for (const user_id of ['00000000-0000-4000-8000-000000000000', 'nobody', '\u0000'])
      expect((await at('/v1/memory/load', { query: 'q', user_id })).json()).toMatchObject({
        error: { code: 'user_not_found', param: 'user_id' },
      })
  })

  it('is closed to users and strangers, and has no other route', async () => {
    const client = await guest(server)
    const user_id = (await client.get('/auth/me')).json<{ id: string }>().id
    for (const key of ['wrong', client.token, server.adminKey])
      expect((await at('/v1/memory/load', { query: 'q', user_id }, key)).status).toBe(401)
    expect((await send(`http://127.0.0.1:${port}/v1/memory/stats?user_id=${user_id}`)).status).toBe(401)
    expect((await at('/v1/models')).status).toBe(404)
    expect((await at('/v1/memory')).status).toBe(404)
  })
})

describe('where memory is off', () => {
  it('nothing is remembered; what there is can be seen and deleted', async () => {
    const off = await sharedTestServer()
    const client = await guest(off)
    for (const [path, body] of [
      ['/v1/memory/user/upsert', { items: [tea] }],
      ['/v1/memory/load', { query: 'q' }],
      ['/v1/embed/test', {}],
    ] as const) {
      const answer = await client.post(path, body)
      expect(answer.status).toBe(403)
      expect(answer.json()).toMatchObject({ error: { code: 'feature_disabled' } })
    }
    expect((await client.get('/v1/memory')).json()).toMatchObject({ data: [] })
    expect((await client.post('/v1/memory/delete', { ids: [] })).json()).toEqual({ deleted_count: 0 })
  }, 60_000)
})
