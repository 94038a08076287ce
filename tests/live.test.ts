import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { clientOf, guest, send, type TestClient } from './client.ts'
import { liveReader } from './live-reader.ts'
import { startTestServer, type TestServer } from './server.ts'

let provider: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  provider = await startFakeProvider({ models: ['fake-model'] })
  server = await startTestServer({ REMOTE_LLM_PROVIDER_URL: provider.url, REMOTE_API_KEY: 'a-key' })
  client = await guest(server)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await provider.close()
})

const conversations =
  'subscription { conversationChanged { type id conversation { id title itemCount project { name } } } }'
const items = `subscription ($id: ID!) {
  itemChanged(conversationId: $id) { type id item { id role status text } }
}`

interface ConversationEvent {
  readonly type: string
  readonly id: string | null
  readonly conversation: { readonly title: string; readonly project: { readonly name: string } | null } | null
}
interface ItemEvent {
  readonly type: string
  readonly id: string | null
  readonly item: { readonly role: string; readonly status: string; readonly text: string } | null
}

const created = async (by: TestClient, body: object = {}) =>
  (await by.post('/v1/conversations', body)).json<{ id: string }>().id

describe('subscription { conversationChanged }', () => {
  it('tells what the caller does elsewhere, as it is then, with fields of other subgraphs', async () => {
    const reader = await liveReader<ConversationEvent>(server.url, client, conversations)
    const project = (await client.post('/v1/projects', { name: 'Live' })).json<{ id: string }>()
    const id = await created(client, { title: 'First', project_id: project.id })
    expect(await reader.next()).toMatchObject({
      type: 'CREATED',
      id,
      conversation: { id, title: 'First', project: { name: 'Live' } },
    })
    await client.patch(`/v1/conversations/${id}`, { title: 'Second' })
    expect(await reader.next()).toMatchObject({ type: 'UPDATED', id, conversation: { title: 'Second' } })
    await client.post(`/v1/conversations/${id}/items`, { items: [{ role: 'user', content: 'One more' }] })
    expect(await reader.next()).toMatchObject({ type: 'UPDATED', id, conversation: { itemCount: 1 } })
    await client.delete(`/v1/projects/${project.id}`)
    expect(await reader.next()).toEqual({ type: 'RESYNC', id: null, conversation: null })
    expect((await client.get(`/v1/conversations/${id}`)).json()).toMatchObject({ project_id: null })
    await client.delete(`/v1/conversations/${id}`)
    expect(await reader.next()).toEqual({ type: 'DELETED', id, conversation: null })
    await created(client)
    await reader.next()
    await client.delete('/v1/conversations')
    expect(await reader.next()).toEqual({ type: 'RESYNC', id: null, conversation: null })
    reader.leave()
  })

  it.each<[string, (id: string, item: string) => Promise<unknown>, string]>([
    ['a new branch', (id) => client.post(`/v1/conversations/${id}/branches`, { name: 'aside' }), 'UPDATED'],
    ['a deleted item', (id, item) => client.delete(`/v1/conversations/${id}/items/${item}`), 'UPDATED'],
    [
      'an edited message',
      (id, item) => client.post(`/v1/conversations/${id}/items/${item}/edit`, { content: 'Other' }),
      'UPDATED',
    ],
    [
      'a message that is to be asked again',
      (id, item) => client.post(`/v1/conversations/${id}/items/${item}/regenerate`),
      'UPDATED',
    ],
    [
      'a deletion with others',
      (id) => client.post('/v1/conversations/bulk-delete', { conversation_ids: [id] }),
      'DELETED',
    ],
  ])('tells of %s', async (_way, change, type) => {
    const reader = await liveReader<ConversationEvent>(server.url, client, conversations)
    const id = await created(client, { items: [{ role: 'user', content: 'Hello' }] })
    expect(await reader.next()).toMatchObject({ type: 'CREATED', id })
    const listed = await client.get(`/v1/conversations/${id}/items`)
    await change(id, listed.json<{ data: { id: string }[] }>().data[0]?.id ?? '')
    expect(await reader.next()).toMatchObject({ type, id })
    reader.leave()
  })

  it('tells nothing of others', async () => {
    const stranger = await guest(server)
    const reader = await liveReader<ConversationEvent>(server.url, stranger, conversations)
    await created(client, { title: 'Not yours' })
    const id = await created(stranger, { title: 'Mine' })
    expect(await reader.next()).toMatchObject({ type: 'CREATED', id })
    reader.leave()
  })

  it.each<[string, (owner: TestClient, key: { id: string }) => Promise<unknown>]>([
    ['is deleted', (owner, { id }) => owner.delete(`/auth/api-keys/${id}`)],
    [
      'goes with its account',
      async (owner) => {
        const { id } = (await owner.get('/v1/users/me')).json<{ id: string }>()
        await owner.delete(`/v1/users/me?confirm=${id}`)
      },
    ],
  ])('ends, and tells nothing more, when the key that it was opened with %s', async (_way, end) => {
    const owner = await guest(server)
    const key = (await owner.post('/auth/api-keys', { name: 'Listens' })).json<{ id: string; key: string }>()
    const reader = await liveReader<ConversationEvent>(server.url, clientOf(server, key.key), conversations)
    const id = await created(owner)
    expect(await reader.next()).toMatchObject({ type: 'CREATED', id })
    await end(owner, key)
    await owner.patch(`/v1/conversations/${id}`, { title: 'After' })
    expect(await reader.next()).toBeUndefined()
  })

  it('goes over multipart too', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        ...client.headers,
        'content-type': 'application/json',
        accept: 'multipart/mixed;subscriptionSpec=1.0, application/json',
      },
      body: JSON.stringify({ query: conversations }),
    })
    const id = await created(client, { title: 'In parts' })
    let text = ''
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece).toString()
      if (text.includes('In parts')) break
    }
    expect(text).toContain(`"type":"CREATED","id":"${id}"`)
    leaving.abort()
  })

  it('can have no idempotency key, and needs a caller', async () => {
    const keyed = await send(`${server.url}/graphql/stream`, {
      method: 'POST',
      headers: { ...client.headers, accept: 'text/event-stream', 'idempotency-key': 'for ever' },
      json: { query: conversations },
    })
    expect(keyed.status).toBe(400)
    expect(keyed.text).toContain('Idempotency-Key')
    const nobody = await send(`${server.url}/graphql/stream`, {
      method: 'POST',
      headers: { accept: 'text/event-stream' },
      json: { query: conversations },
    })
    expect(nobody.text).toContain('missing_credentials')
  })

  it('says when events may have been lost', async () => {
    const reader = await liveReader<ConversationEvent>(server.url, client, conversations)
    const database = new pg.Client({ connectionString: server.databaseUrl })
    await database.connect()
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'jan-notifications' and datname = current_database()`,
    )
    await database.end()
    expect(await reader.next()).toEqual({ type: 'RESYNC', id: null, conversation: null })
    reader.leave()
  })
})

describe('subscription { itemChanged }', () => {
  it('tells of ratings and of reported calls by the item, of forks that all is to be read again', async () => {
    const call = { type: 'mcp_call', status: 'in_progress', call_id: 'call-1', name: 'look', arguments: '{}' }
    const id = await created(client, { items: [{ role: 'user', content: 'Hello' }, call] })
    const path = `/v1/conversations/${id}/items`
    const listed = (await client.get(`${path}?order=asc`)).json<{ data: { id: string }[] }>()
    const [message = '', called = ''] = listed.data.map((item) => item.id)
    const reader = await liveReader<ItemEvent>(server.url, client, items, { id })
    await client.post(`${path}/${message}/rating`, { rating: 'like' })
    expect(await reader.next()).toMatchObject({ type: 'UPDATED', id: message })
    await client.patch(`${path}/by-call-id/call-1`, { status: 'completed', output: 'seen' })
    expect(await reader.next()).toMatchObject({ type: 'UPDATED', id: called, item: { status: 'COMPLETED' } })
    await client.post(`${path}/${message}/edit`, { content: 'Other' })
    expect(await reader.next()).toEqual({ type: 'RESYNC', id: null, item: null })
    reader.leave()
  })

  it('tells of a turn from its question to the end of its answer', async () => {
    provider.script({ text: 'word '.repeat(30), chunkDelayMs: 150 })
    const id = await created(client)
    const reader = await liveReader<ItemEvent>(server.url, client, items, { id })
    const streamed = client.post('/v1/chat/completions', {
      model: 'fake-model',
      stream: true,
      conversation: id,
      messages: [{ role: 'user', content: 'Speak slowly.' }],
    })
    const events: ItemEvent[] = []
    for (;;) {
      const event = await reader.next()
      if (!event) throw new Error('The stream ended before the answer did.')
      events.push(event)
      if (event.item?.role === 'ASSISTANT' && event.item.status === 'COMPLETED') break
    }
    await streamed
    expect(events[0]).toMatchObject({ type: 'CREATED', item: { role: 'USER', text: 'Speak slowly.' } })
    expect(events[1]).toMatchObject({ type: 'CREATED', item: { role: 'ASSISTANT', status: 'IN_PROGRESS' } })
    const growing = events.slice(2, -1)
    expect(growing.length).toBeGreaterThan(0)
    for (const event of growing)
      expect(event).toMatchObject({ type: 'UPDATED', item: { status: 'IN_PROGRESS' } })
    expect(events.at(-1)?.item?.text.match(/word/g)).toHaveLength(30)
    reader.leave()
  }, 30_000)

  it('asks to read anew where items get new ids, and ends with its conversation', async () => {
    const id = await created(client, {
      items: [
        { role: 'user', content: 'One' },
        { role: 'user', content: 'Two' },
      ],
    })
    const list = (await client.get(`/v1/conversations/${id}/items`)).json<{ data: { id: string }[] }>()
    const reader = await liveReader<ItemEvent>(server.url, client, items, { id })
    await client.delete(`/v1/conversations/${id}/items/${list.data[0]?.id}`)
    expect(await reader.next()).toEqual({ type: 'RESYNC', id: null, item: null })
    await client.delete(`/v1/conversations/${id}`)
    expect(await reader.next()).toBeUndefined()
  })

  it('ends with all conversations, where all are deleted', async () => {
    const id = await created(client)
    const reader = await liveReader<ItemEvent>(server.url, client, items, { id })
    await client.delete('/v1/conversations')
    expect(await reader.next()).toBeUndefined()
  })

  it('is refused for what is another’s', async () => {
    const id = await created(await guest(server))
    const refused = await send(`${server.url}/graphql/stream`, {
      method: 'POST',
      headers: { ...client.headers, accept: 'text/event-stream' },
      json: { query: items, variables: { id } },
    })
    expect(refused.text).toContain('"code":"conversation_not_found"')
  })
})

describe('two platforms on one database', () => {
  it('tell each other, and end subscriptions when they are told to stop', async () => {
    const sibling = await startTestServer({
      DATABASE_URL: server.databaseUrl,
      PUBLIC_URL: server.url,
      SHUTDOWN_GRACE: '1h',
    })
    const reader = await liveReader<ConversationEvent>(sibling.url, client, conversations)
    const id = await created(client, { title: 'Across' })
    expect(await reader.next()).toMatchObject({ type: 'CREATED', id, conversation: { title: 'Across' } })
    const [last] = await Promise.all([reader.next(), sibling.stop()])
    expect(last).toBeUndefined()
  }, 60_000)
})
