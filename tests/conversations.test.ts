import { beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import type { Route } from '../rest-adapter/route.ts'
import { conversationRoutes } from '../rest-adapter/routes/conversations.ts'
import { itemRoutes } from '../rest-adapter/routes/items.ts'
import { type Answer, clientOf, guest, send, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
}, 60_000)

interface Listed {
  object: 'list'
  data: { id: string; [field: string]: unknown }[]
  first_id: string | null
  last_id: string | null
  has_more: boolean
  next_after: string | null
  total?: number
}

const routes: readonly Route[] = [...conversationRoutes, ...itemRoutes]

/** The answer's body, held against the shape that the route declares. */
function bodyOf<T = Record<string, unknown>>(answer: Answer, method: Route['method'], path: string): T {
  expect({ status: answer.status, text: answer.status === 200 ? '' : answer.text }).toEqual({
    status: 200,
    text: '',
  })
  const declared = routes.find((route) => route.method === method && route.path === path)
  const body = answer.json()
  declared!.response!.parse(body)
  return body as T
}

const many = '/v1/conversations'
const one = '/v1/conversations/:conversation_id'
const items = `${one}/items`

const create = async (body: object = {}, caller = client) =>
  bodyOf<{ id: string; data: object }>(await caller.post(many, body), 'post', many)

const errorOf = (answer: Answer) => {
  const { error } = answer.json<{ error: { code: string; param: string | null } }>()
  return { status: answer.status, code: error.code, param: error.param }
}

const itemTexts = ({ data }: Listed) => data.map(({ content }) => (content as { text: string }[])[0]!.text)

describe('conversation routes', () => {
  it('create, read, change and delete a conversation in the dual shape', async () => {
    const created = await create({ title: 'Garden', metadata: { topic: 'trees' }, referrer: 'web' })
    expect(created).toMatchObject({
      object: 'conversation',
      title: 'Garden',
      metadata: { topic: 'trees' },
      referrer: 'web',
      project_id: null,
      active_branch: 'MAIN',
      item_count: 0,
      archived: false,
      data: { id: created.id, title: 'Garden' },
      meta: { api_version: 'v1' },
    })
    const path = `${many}/${created.id}`
    expect(bodyOf(await client.get(path), 'get', one)).toMatchObject({
      id: created.id,
      created_at: expect.any(Number),
    })
    for (const change of ['post', 'patch'] as const) {
      const changed = await client[change](path, { title: `By ${change}`, archived: true })
      expect(bodyOf(changed, change, one)).toMatchObject({
        title: `By ${change}`,
        archived: true,
        metadata: { topic: 'trees' },
      })
    }
    expect(bodyOf(await client.delete(path), 'delete', one)).toEqual({
      id: created.id,
      object: 'conversation.deleted',
      deleted: true,
    })
    expect(errorOf(await client.get(path))).toEqual({
      status: 404,
      code: 'conversation_not_found',
      param: null,
    })
    expect(errorOf(await client.delete(path))).toMatchObject({ status: 404, code: 'conversation_not_found' })
  })

  it('answer under /llm too, and to a body that curl sends without a type', async () => {
    const answer = await fetch(`${server.url}/llm/v1/conversations`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: '{"title":"By curl"}',
    })
    expect(await answer.json()).toMatchObject({ title: 'By curl' })
  })

  it('list with totals, by keyset, in both directions', async () => {
    const caller = await guest(server)
    const ids: string[] = []
    for (let at = 0; at < 5; at += 1)
      ids.push((await create({ referrer: at % 2 ? 'app' : 'web' }, caller)).id)
    const page = async (query: string) => bodyOf<Listed>(await caller.get(`${many}?${query}`), 'get', many)
    const first = await page('limit=2')
    expect(first).toMatchObject({
      total: 5,
      has_more: true,
      first_id: ids[4],
      last_id: ids[3],
      next_after: ids[3],
    })
    await create({}, caller)
    const second = await page(`limit=2&after=${first.next_after}`)
    expect(second.data.map(({ id }) => id)).toEqual([ids[2], ids[1]])
    const third = await page(`limit=2&cursor=${second.next_after}`)
    expect(third).toMatchObject({ has_more: false, next_after: null, last_id: ids[0] })
    expect((await page('order=asc&limit=1')).data[0]!.id).toBe(ids[0])
    expect((await page('offset=1&limit=1')).data[0]!.id).toBe(ids[4])
    expect((await page('referrer=app')).total).toBe(2)
    expect((await page('limit=500')).data).toHaveLength(6)
  })

  it.each([
    ['limit=0', 'invalid_parameter', 'limit'],
    ['limit=ten', 'invalid_parameter', 'limit'],
    ['order=up', 'invalid_parameter', 'order'],
    ['after=conv_nothing', 'invalid_cursor', 'after'],
    ['project_id=nonsense', 'invalid_id', 'project_id'],
  ])('refuse ?%s', async (query, code, param) => {
    expect(errorOf(await client.get(`${many}?${query}`))).toEqual({ status: 400, code, param })
  })

  it('show everybody’s to administrators alone', async () => {
    expect(errorOf(await client.get(`${many}?scope=all`))).toMatchObject({
      status: 403,
      code: 'admin_required',
    })
    const admin = clientOf(server, server.adminKey)
    expect(bodyOf<Listed>(await admin.get(`${many}?scope=all`), 'get', many).total).toBeGreaterThan(0)
  })

  it('refuse malformed ids and bodies, and tell nothing of another’s conversation', async () => {
    const stranger = await guest(server)
    const { id } = await create()
    expect(errorOf(await client.get(`${many}/conv_short`))).toEqual({
      status: 400,
      code: 'invalid_id',
      param: 'conversation_id',
    })
    expect(errorOf(await stranger.get(`${many}/${id}`))).toMatchObject({
      status: 404,
      code: 'conversation_not_found',
    })
    expect(errorOf(await stranger.post(`${many}/${id}`, { title: 'x' }))).toMatchObject({
      status: 404,
      code: 'conversation_not_found',
    })
    expect(errorOf(await stranger.get(`${many}/${id}/items`))).toMatchObject({
      status: 404,
      code: 'conversation_not_found',
    })
    expect(errorOf(await client.post(many, { title: 5 }))).toEqual({
      status: 400,
      code: 'invalid_parameter',
      param: 'title',
    })
    expect(errorOf(await client.post(many, { title: 'nul \u0000' }))).toEqual({
      status: 400,
      code: 'invalid_parameter',
      param: 'title',
    })
    expect(errorOf(await client.post(many, { project_id: 'proj_0000000000000000' }))).toEqual({
      status: 404,
      code: 'project_not_found',
      param: 'project_id',
    })
  })

  it('refuse metadata that is no object of well-named pairs, whatever the name', async () => {
    const { id } = await create()
    const named = [
      ['{"_own":"a"}', 'metadata._own'],
      ['{"__proto__":"a"}', 'metadata.__proto__'],
      ['["a"]', 'metadata'],
      ['"a"', 'metadata'],
    ]
    for (const [metadata, param] of named) {
      for (const path of [many, `${many}/${id}`]) {
        const answer = await send(`${server.url}${path}`, {
          method: 'POST',
          headers: { ...client.headers, 'content-type': 'application/json' },
          body: `{"metadata":${metadata}}`,
        })
        expect(errorOf(answer)).toEqual({ status: 400, code: 'invalid_parameter', param })
      }
    }
  })

  it('attach to a project, list its conversations, and read it as none once it is deleted', async () => {
    const { id: projectId } = (await client.post('/v1/projects', { name: `Garden ${Date.now()}` })).json<{
      id: string
    }>()
    const { id } = await create({ project_id: projectId })
    const path = `${many}/${id}`
    expect(bodyOf(await client.patch(path, { pin_instruction: true }), 'patch', one)).toMatchObject({
      instruction_version: 1,
      effective_instruction_snapshot: '',
    })
    const ofProject = `/v1/projects/${projectId}/conversations`
    expect(
      bodyOf<Listed>(await client.get(ofProject), 'get', '/v1/projects/:project_id/conversations'),
    ).toMatchObject({ total: 1, first_id: id })
    expect(bodyOf(await client.patch(path, { project_id: '' }), 'patch', one)).toMatchObject({
      project_id: null,
    })
    expect(bodyOf(await client.patch(path, { project_id: projectId }), 'patch', one)).toMatchObject({
      project_id: projectId,
    })
    await client.delete(`/v1/projects/${projectId}`)
    expect(bodyOf(await client.get(path), 'get', one)).toMatchObject({ project_id: null })
    expect(errorOf(await client.get(ofProject))).toMatchObject({ status: 404, code: 'project_not_found' })
  })

  it('delete all of the caller’s, and none again', async () => {
    const caller = await guest(server)
    await create({}, caller)
    await create({}, caller)
    expect(bodyOf(await caller.delete(many), 'delete', many)).toEqual({
      object: 'conversations.deleted',
      deleted: true,
      deleted_count: 2,
    })
    expect((await caller.delete(many)).json()).toMatchObject({ deleted_count: 0 })
  })
})

describe('item routes', () => {
  it('add items, list them and read one, with RFC 3339 times and both spellings of text', async () => {
    const { id } = await create({
      items: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'first' }] }],
    })
    const path = `${many}/${id}/items`
    const added = bodyOf<Listed>(
      await client.post(path, {
        items: [
          { role: 'assistant', content: 'second' },
          { role: 'user', content: 'third' },
        ],
      }),
      'post',
      items,
    )
    expect(added).toMatchObject({
      object: 'list',
      has_more: false,
      data: [
        {
          object: 'conversation.item',
          type: 'message',
          role: 'assistant',
          status: 'completed',
          branch: 'MAIN',
          sequence_number: 2,
        },
        { sequence_number: 3 },
      ],
    })
    expect(added.data[1]!.content).toEqual([{ type: 'input_text', text: 'third', input_text: 'third' }])
    const listed = bodyOf<Listed>(await client.get(`${path}?order=asc&limit=2`), 'get', items)
    expect(itemTexts(listed)).toEqual(['first', 'second'])
    expect(listed).toMatchObject({ total: 3, has_more: true })
    expect(
      itemTexts(
        bodyOf<Listed>(await client.get(`${path}?order=asc&after=${listed.next_after}`), 'get', items),
      ),
    ).toEqual(['third'])
    const read = bodyOf(await client.get(`${path}/${listed.first_id}`), 'get', `${items}/:item_id`)
    expect(read).toMatchObject({
      id: listed.first_id,
      data: { id: listed.first_id },
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  it('take the short form of one item, and clamp the page size both ways', async () => {
    const { id } = await create()
    const path = `${many}/${id}/items`
    const single = bodyOf(
      await client.post(path, { role: 'tool', content: 'found', call_id: 'call_1', custom: { kept: true } }),
      'post',
      items,
    )
    expect(single).toMatchObject({
      role: 'tool',
      call_id: 'call_1',
      custom: { kept: true },
      data: { role: 'tool' },
    })
    await client.post(path, { role: 'user', content: 'next' })
    expect(bodyOf<Listed>(await client.get(`${path}?limit=-3`), 'get', items).data).toHaveLength(1)
    for (const limit of ['5000', '10000000000'])
      expect(bodyOf<Listed>(await client.get(`${path}?limit=${limit}`), 'get', items).data).toHaveLength(2)
    expect(bodyOf<Listed>(await client.get(`${path}?limit=-10000000000`), 'get', items).data).toHaveLength(1)
    expect(errorOf(await client.get(`${path}?limit=x`))).toEqual({
      status: 400,
      code: 'invalid_parameter',
      param: 'limit',
    })
    expect(errorOf(await client.get(`${path}?branch=nowhere`))).toEqual({
      status: 404,
      code: 'not_found',
      param: 'branch',
    })
  })

  it('include the newest items in a conversation when asked, oldest first', async () => {
    const { id } = await create({ items: ['a', 'b'].map((content) => ({ role: 'user', content })) })
    const plain = bodyOf(await client.get(`${many}/${id}`), 'get', one)
    expect(plain).not.toHaveProperty('items')
    const full = bodyOf<{ items: Listed['data'] }>(
      await client.get(`${many}/${id}?include=items`),
      'get',
      one,
    )
    expect(full.items.map(({ sequence_number }) => sequence_number)).toEqual([1, 2])
  })

  it('delete an item by making a branch without it', async () => {
    const { id } = await create({ items: ['a', 'b', 'c'].map((content) => ({ role: 'user', content })) })
    const path = `${many}/${id}/items`
    const before = bodyOf<Listed>(await client.get(`${path}?order=asc`), 'get', items).data
    const deleted = bodyOf<{ old_main_backup: string }>(
      await client.delete(`${path}/${before[1]!.id}`),
      'delete',
      `${items}/:item_id`,
    )
    expect(deleted).toEqual({
      id: before[1]!.id,
      object: 'conversation.item.deleted',
      deleted: true,
      branch: 'MAIN',
      branch_created: true,
      old_main_backup: expect.stringMatching(/^MAIN_\d{14}$/),
      conversation: expect.objectContaining({ id, item_count: 2 }),
      metadata: {},
      created_at: expect.any(Number),
    })
    expect(itemTexts(bodyOf<Listed>(await client.get(`${path}?order=asc`), 'get', items))).toEqual(['a', 'c'])
    const backup = await client.get(`${path}?order=asc&branch=${deleted.old_main_backup}`)
    expect(itemTexts(bodyOf<Listed>(backup, 'get', items))).toEqual(['a', 'b', 'c'])
    expect(errorOf(await client.get(`${path}/${before[1]!.id}`))).toMatchObject({
      status: 404,
      code: 'item_not_found',
    })
    expect(errorOf(await client.get(`${path}/nonsense`))).toEqual({
      status: 400,
      code: 'invalid_id',
      param: 'item_id',
    })
  })

  it.each([
    [{}, 'missing_parameter', 'items'],
    [{ items: [] }, 'invalid_parameter', 'items'],
    [{ items: 'x' }, 'invalid_parameter', 'items'],
    [{ items: [{ role: 'user', content: 7 }] }, 'invalid_parameter', 'items[0].content'],
    [{ items: [{ role: 'wizard', content: 'x' }] }, 'invalid_parameter', 'items[0].role'],
    [{ items: [{ role: 'user', content: 'x'.repeat(100_001) }] }, 'input_too_large', 'items[0].content'],
    [
      { items: Array.from({ length: 21 }, () => ({ role: 'user', content: 'x' })) },
      'max_items_exceeded',
      'items',
    ],
  ])('refuse a bad write and name the field (%#)', async (body, code, param) => {
    const { id } = await create()
    expect(errorOf(await client.post(`${many}/${id}/items`, body))).toEqual({ status: 400, code, param })
  })

  it('join with project, items and model in one GraphQL query', async () => {
    const { id: projectId } = (await client.post('/v1/projects', { name: `Join ${Date.now()}` })).json<{
      id: string
    }>()
    const { id } = await create({ project_id: projectId, items: [{ role: 'user', content: 'Hi' }] })
    const { data, errors } = await client.graphql(
      'query ($id: ID!) { conversation(id: $id) { title project { name } items { nodes { text role model { id } } } } }',
      { id },
    )
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({
      conversation: {
        project: { name: expect.stringContaining('Join') },
        items: { nodes: [{ text: 'Hi', role: 'USER', model: null }] },
      },
    })
  })

  it('serve the official SDK’s conversations', async () => {
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: client.token })
    const conversation = await openai.conversations.create({
      metadata: { topic: 'demo' },
      items: [{ type: 'message', role: 'user', content: 'Hello!' }],
    })
    expect(conversation).toMatchObject({ object: 'conversation', metadata: { topic: 'demo' } })
    const added = await openai.conversations.items.create(conversation.id, {
      items: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'How are you?' }] }],
    })
    expect(added.data).toHaveLength(1)
    const seen: string[] = []
    for await (const item of openai.conversations.items.list(conversation.id, { limit: 1, order: 'asc' })) {
      if (item.type === 'message') seen.push((item.content[0] as { text: string }).text)
    }
    expect(seen).toEqual(['Hello!', 'How are you?'])
    expect(await openai.conversations.delete(conversation.id)).toMatchObject({ deleted: true })
  })
})
