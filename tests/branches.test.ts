import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Route } from '../rest-adapter/route.ts'
import { branchRoutes } from '../rest-adapter/routes/branches.ts'
import { type Answer, guest, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
}, 60_000)

const many = '/v1/conversations/:conversation_id/branches'
const one = `${many}/:branch_name`

/** The answer's body, held against the shape that the route declares. */
function bodyOf<T = Record<string, unknown>>(answer: Answer, method: Route['method'], path: string): T {
  const route = branchRoutes.find((candidate) => candidate.method === method && candidate.path === path)
  expect({ status: answer.status, text: answer.status === route?.status ? '' : answer.text }).toEqual({
    status: route?.status,
    text: '',
  })
  const body = answer.json()
  expect(route?.response?.safeParse(body).error?.issues).toBeUndefined()
  return body as T
}

const errorOf = (answer: Answer) => {
  const { error } = answer.json<{ error: { code: string; param: string | null } }>()
  return { status: answer.status, code: error.code, param: error.param }
}

async function conversationOf(...texts: string[]): Promise<string> {
  const items = texts.map((content) => ({ role: 'user', content }))
  return (await client.post('/v1/conversations', { items })).json<{ id: string }>().id
}

describe('branch routes', () => {
  it('fork, list, read, activate and delete', async () => {
    const id = await conversationOf('a', 'b', 'c')
    const path = `/v1/conversations/${id}/branches`
    const { data: items } = (await client.get(`/v1/conversations/${id}/items?order=asc`)).json<{
      data: { id: string }[]
    }>()
    const created = await client.post(path, {
      name: 'a / b',
      fork_from_item_id: items[1]?.id,
      description: 'Shorter',
    })
    const branch = {
      name: 'a / b',
      description: 'Shorter',
      parent_branch: 'MAIN',
      forked_at: expect.any(Number),
      forked_from_item_id: items[1]?.id,
      item_count: 2,
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      is_active: false,
    }
    expect(bodyOf(created, 'post', many)).toEqual({
      ...branch,
      data: branch,
      meta: { api_version: 'v1', request_id: expect.any(String) },
    })
    expect(bodyOf(await client.get(path), 'get', many)).toMatchObject({
      object: 'list',
      active_branch: 'MAIN',
      data: [{ name: 'MAIN', item_count: 3, is_active: true, parent_branch: null, forked_at: null }, branch],
    })
    const named = `${path}/${encodeURIComponent('a / b')}`
    expect(bodyOf(await client.get(named), 'get', one)).toMatchObject({ ...branch, data: branch })
    expect(bodyOf(await client.post(`${named}/activate`), 'post', `${one}/activate`)).toMatchObject({
      active_branch: 'a / b',
      message: expect.any(String),
      data: { active_branch: 'a / b' },
    })
    expect((await client.get(`/v1/conversations/${id}`)).json()).toMatchObject({
      active_branch: 'a / b',
      item_count: 2,
    })
    expect(errorOf(await client.delete(named))).toMatchObject({ status: 400, code: 'invalid_parameter' })
    bodyOf(await client.post(`${path}/main/activate`), 'post', `${one}/activate`)
    const deleted = await client.delete(named)
    expect({ status: deleted.status, text: deleted.text }).toEqual({ status: 204, text: '' })
    expect(errorOf(await client.get(named))).toEqual({ status: 404, code: 'not_found', param: null })
  })

  it('list pages as other lists do, all of them where there are not more than a hundred', async () => {
    const id = await conversationOf('a')
    const path = `/v1/conversations/${id}/branches`
    const names = Array.from({ length: 24 }, (_, at) => `branch ${at + 1}`)
    for (const name of names) await client.post(path, { name })
    const newestFirst = ['MAIN', ...names.toReversed()]
    const page = async (query: string) => {
      const { data, ...place } = bodyOf<{ data: { name: string }[] }>(
        await client.get(`${path}${query}`),
        'get',
        many,
      )
      return { ...place, names: data.map(({ name }) => name) }
    }
    expect(await page('')).toMatchObject({
      names: newestFirst,
      active_branch: 'MAIN',
      first_id: 'MAIN',
      last_id: 'branch 1',
      has_more: false,
      next_after: null,
      next_cursor: null,
    })
    expect(await page('?limit=2')).toMatchObject({
      names: ['MAIN', 'branch 24'],
      last_id: 'branch 24',
      has_more: true,
      next_after: 'branch 24',
      next_cursor: 'branch 24',
    })
    expect(await page('?limit=1&after=branch+24')).toMatchObject({ names: ['branch 23'], has_more: true })
    expect(await page('?cursor=branch+2')).toMatchObject({ names: ['branch 1'], has_more: false })
    expect(await page('?order=asc&limit=2')).toMatchObject({ names: ['branch 1', 'branch 2'] })
    expect(await page('?offset=24')).toMatchObject({ names: ['branch 1'], has_more: false })
    const refusals: [string, object][] = [
      ['?after=nowhere', { status: 400, code: 'invalid_cursor', param: 'after' }],
      ['?limit=0', { status: 400, code: 'invalid_parameter', param: 'limit' }],
      ['?limit=x', { status: 400, code: 'invalid_parameter', param: 'limit' }],
    ]
    for (const [query, expected] of refusals)
      expect(errorOf(await client.get(`${path}${query}`))).toEqual(expected)
  })

  it('refuse as documented', async () => {
    const id = await conversationOf('a')
    const path = `/v1/conversations/${id}/branches`
    await client.post(path, { name: 'taken' })
    const refusals: [Promise<Answer>, object][] = [
      [client.post(path, {}), { status: 400, code: 'missing_parameter', param: 'name' }],
      [client.post(path, { name: 'MAIN' }), { status: 400, code: 'invalid_parameter', param: 'name' }],
      [client.post(path, { name: 'taken' }), { status: 409, code: 'already_exists', param: 'name' }],
      [
        client.post(path, { name: 'x', parent_branch: 'y' }),
        { status: 404, code: 'not_found', param: 'parent_branch' },
      ],
      [
        client.post(path, { name: 'x', fork_from_item_id: 'msg_000000000000000000000000' }),
        { status: 404, code: 'item_not_found', param: 'fork_from_item_id' },
      ],
      [client.delete(`${path}/MAIN`), { status: 400, code: 'invalid_parameter', param: 'name' }],
      [client.delete(`${path}/nowhere`), { status: 404, code: 'not_found', param: null }],
      [client.post(`${path}/nowhere/activate`), { status: 404, code: 'not_found', param: null }],
      [
        client.get('/v1/conversations/conv_0000000000000000/branches'),
        { status: 404, code: 'conversation_not_found', param: null },
      ],
      [
        client.get('/v1/conversations/nonsense/branches'),
        { status: 400, code: 'invalid_id', param: 'conversation_id' },
      ],
    ]
    for (const [answer, expected] of refusals) expect(errorOf(await answer)).toEqual(expected)
  })
})
