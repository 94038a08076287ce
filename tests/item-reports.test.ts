import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Answer, guest, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
}, 60_000)

const many = '/v1/conversations'
const errorOf = (answer: Answer) => {
  const { error } = answer.json<{ error: { code: string; param: string | null } }>()
  return { status: answer.status, code: error.code, param: error.param }
}
const create = async (items: object[] = []) => (await client.post(many, { items })).json<{ id: string }>().id
const firstItem = async (id: string) =>
  (await client.get(`${many}/${id}/items?order=asc`)).json<{ data: { id: string }[] }>().data[0]?.id

describe('items by call id', () => {
  it('are read, and take reports', async () => {
    const id = await create([
      { type: 'mcp_call', status: 'in_progress', call_id: 'call/1', name: 'look', arguments: '{}' },
    ])
    const path = `${many}/${id}/items/by-call-id/${encodeURIComponent('call/1')}`
    expect((await client.get(path)).json()).toMatchObject({
      status: 'in_progress',
      data: { call_id: 'call/1' },
    })
    const reported = await client.patch(path, { status: 'completed', output: 'seen', server_label: 'here' })
    expect(reported.json()).toMatchObject({
      type: 'mcp_call',
      status: 'completed',
      call_id: 'call/1',
      name: 'look',
      server_label: 'here',
      output: 'seen',
      completed_at: expect.any(String),
      content: [{ type: 'mcp_call', tool_call_id: 'call/1', mcp_call: 'seen', text: 'seen' }],
      data: { status: 'completed' },
    })
    expect(errorOf(await client.patch(path, { output: 'x' }))).toMatchObject({ status: 400, param: 'status' })
    expect(errorOf(await client.patch(path, { status: 'done' }))).toMatchObject({
      status: 400,
      param: 'status',
    })
    for (const answer of [client.get(`${path}2`), client.patch(`${path}2`, { status: 'failed' })])
      expect(errorOf(await answer)).toMatchObject({ status: 404, code: 'item_not_found' })
  })
})

describe('ratings', () => {
  it('are given and taken back', async () => {
    const id = await create([{ role: 'assistant', content: 'a' }])
    const path = `${many}/${id}/items/${await firstItem(id)}/rating`
    expect((await client.post(path, { rating: 'like', comment: 'Good' })).json()).toMatchObject({
      rating: 'like',
      rated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      rating_comment: 'Good',
      data: { rating: 'like' },
    })
    expect((await client.delete(path)).json()).not.toHaveProperty('rating')
    expect(errorOf(await client.post(path, { rating: 'meh' }))).toMatchObject({
      status: 400,
      param: 'rating',
    })
  })
})

describe('bulk delete', () => {
  it('deletes what is the caller’s and tells the rest', async () => {
    const ids = [await create(), await create()]
    const unknown = 'conv_0000000000000000'
    const answer = await client.post(`${many}/bulk-delete`, { conversation_ids: [...ids, unknown] })
    const result = { deleted_count: 2, failed_count: 1, failed_ids: [unknown] }
    expect(answer.json()).toMatchObject({ ...result, data: result })
    expect((await client.get(`${many}/${ids[0]}`)).status).toBe(404)
    for (const conversation_ids of [[], Array.from({ length: 101 }, () => unknown)])
      expect(errorOf(await client.post(`${many}/bulk-delete`, { conversation_ids }))).toMatchObject({
        status: 400,
        param: 'conversation_ids',
      })
  })

  it('lists those that were put away apart', async () => {
    const caller = await guest(server)
    const [kept, put] = [await caller.post(many, {}), await caller.post(many, {})].map(
      (answer) => answer.json<{ id: string }>().id,
    )
    await caller.patch(`${many}/${put}`, { archived: true })
    const listed = async (archived: string) =>
      (await caller.get(`${many}?archived=${archived}`)).json<{ data: { id: string }[]; total: number }>()
    expect(await listed('true')).toMatchObject({ total: 1, data: [{ id: put, archived: true }] })
    expect(await listed('false')).toMatchObject({ total: 1, data: [{ id: kept }] })
    expect(errorOf(await caller.get(`${many}?archived=maybe`))).toMatchObject({
      status: 400,
      param: 'archived',
    })
  })
})
