import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { dataUrlOf, testImage } from '../platform/testing/test-image.ts'
import { type Answer, clientOf, guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'
import { sharedTestServer } from './shared-server.ts'

const path = '/v1/users/me/export'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ CONVERSATION_SHARING_ENABLED: 'true', MEMORY_ENABLED: 'true' })
}, 60_000)
afterAll(() => server.stop())

interface Named {
  readonly id: string
}
interface Export {
  readonly object: string
  readonly exported_at: number
  readonly user: Named & { readonly username: string }
  readonly settings: { readonly profile_settings: { readonly nick_name: string } }
  readonly api_keys: readonly Named[]
  readonly projects: readonly Named[]
  readonly shares: readonly Named[]
  readonly memories: readonly (Named & { readonly text: string })[]
  readonly media: readonly (Named & { readonly filename: string | null; readonly url: string })[]
  readonly sessions: readonly (Named & { readonly user_agent: string | null })[]
  readonly usage: readonly (Named & {
    readonly conversation_id: string | null
    readonly created_at: number
  })[]
  readonly conversations: readonly (Named & {
    readonly title: string
    readonly project_id: string | null
    readonly branches: readonly {
      readonly name: string
      readonly is_active: boolean
      readonly items: readonly (Named & { readonly content: readonly { readonly text: string }[] })[]
    }[]
  })[]
}

const idOf = (answer: Answer) => answer.json<Named>().id
const textsOf = (items: Export['conversations'][number]['branches'][number]['items']) =>
  items.map(({ content }) => content[0]?.text)
const say = (content: string) => ({ role: 'user', content })

/** More conversations than a page has, the first of them with more items than a page has, and one of everything else. */
async function furnished(client: TestClient, word: string) {
  const project = idOf(await client.post('/v1/projects', { name: `${word} project` }))
  const conversations: string[] = []
  for (let at = 0; at < 53; at += 1) {
    const body = { title: `${word} ${at}`, project_id: project }
    conversations.push(idOf(await client.post('/v1/conversations', body)))
  }
  const long = `/v1/conversations/${conversations[0]}`
  const texts = Array.from({ length: 45 }, (_, at) => `${word} message ${at}`)
  for (let at = 0; at < texts.length; at += 20)
    await client.post(`${long}/items`, { items: texts.slice(at, at + 20).map(say) })
  await client.post(`${long}/branches`, { name: 'aside' })
  await client.post(`${long}/items?branch=aside`, { items: [say(`${word} aside`)] })
  const share = idOf(await client.post(`${long}/share`, {}))
  const key = (await client.post('/auth/api-keys', { name: `${word} key` })).json<Named & { key: string }>()
  await client.post('/v1/memory/user/upsert', {
    items: [{ scope: 'core', key: 'who', text: `${word} memory` }],
  })
  await client.patch('/v1/users/me/settings', { profile_settings: { nick_name: word } })
  const source = { type: 'data_url', data_url: dataUrlOf(await testImage()) }
  const media = idOf(await client.post('/v1/media', { source, filename: `${word}.png` }))
  const asked = { model: 'jan-dev', messages: [say(`${word} question`)] }
  for (let at = 0; at < 2; at += 1) await client.post('/v1/chat/completions', asked)
  return { project, conversations, texts, share, key, media, usage: await usageOf(client, 2) }
}

/** The ids of so many records, once they are there: usage is written a moment after the answer. */
async function usageOf(client: TestClient, count: number): Promise<string[]> {
  const query = '{ exportUsage(first: 100) { nodes { id } } }'
  for (;;) {
    const { data } = await client.graphql<{ exportUsage: { nodes: Named[] } }>(query)
    if (data.exportUsage.nodes.length >= count) return data.exportUsage.nodes.map(({ id }) => id)
    await sleep(50)
  }
}

/** The answer to an export of which nothing is read yet. */
async function opened(client: TestClient): Promise<IncomingMessage> {
  const request = get(`${server.url}${path}`, { headers: client.headers })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

/** Long enough for a server that did not wait for its reader to be done with everything. */
const whileNobodyReads = () => sleep(2_000)

/** Conversations with more in them than the buffers between server and reader hold. Gives the last of them. */
async function heavy(client: TestClient): Promise<string> {
  const block = { type: 'input_text', text: 'x'.repeat(99_000) }
  const item = { type: 'message', role: 'user', content: Array(9).fill(block) }
  let last = ''
  for (let at = 0; at < 20; at += 1) last = idOf(await client.post('/v1/conversations', { items: [item] }))
  return last
}

describe('GET /v1/users/me/export', () => {
  it('has everything of the caller’s and nothing of anybody else’s', async () => {
    const [owner, stranger] = [await guest(server), await guest(server)]
    const mine = await furnished(owner, 'Mine')
    const foreign = await furnished(stranger, 'Foreign')

    const answer = await owner.get(path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-disposition')).toMatch(
      /^attachment; filename="jan-export-\d{4}-\d\d-\d\d\.json"$/,
    )
    expect(answer.text).not.toContain('Foreign')
    for (const id of [...foreign.usage, foreign.media]) expect(answer.text).not.toContain(id)
    expect(answer.text).not.toContain(mine.key.key)

    const found = answer.json<Export>()
    const me = (await owner.get('/v1/users/me')).json<{ id: string; username: string }>()
    expect(found).toMatchObject({
      object: 'user.export',
      exported_at: expect.any(Number),
      user: { id: me.id, username: me.username, is_guest: true },
      settings: { user_id: me.id, profile_settings: { nick_name: 'Mine' } },
      api_keys: [{ id: mine.key.id, name: 'Mine key', status: 'active' }],
      projects: [{ id: mine.project, name: 'Mine project' }],
      shares: [{ id: mine.share }],
      memories: [{ text: 'Mine memory' }],
      media: [{ id: mine.media, object: 'media', mime: 'image/png', filename: 'Mine.png' }],
      sessions: [{ user_agent: 'node', revoked_at: null }],
    })
    expect(found.usage.map(({ id }) => id)).toEqual(mine.usage)
    expect(found.usage[0]).toMatchObject({
      object: 'usage.record',
      model: 'jan-dev',
      status: 'completed',
      conversation_id: null,
    })
    expect((await send(found.media[0]?.url ?? '')).status).toBe(200)
    expect(found.conversations.map(({ id }) => id)).toEqual(mine.conversations)
    expect(found.conversations[7]).toMatchObject({ title: 'Mine 7', project_id: mine.project })
    const [long, ...others] = found.conversations
    expect(long?.branches.map(({ name, is_active, items }) => [name, is_active, textsOf(items)])).toEqual([
      ['MAIN', true, mine.texts],
      ['aside', false, [...mine.texts, 'Mine aside']],
    ])
    expect(others.flatMap(({ branches }) => branches.map(({ items }) => items.length))).toEqual(
      Array(52).fill(0),
    )

    const byKey = (await clientOf(server, mine.key.key).get(path)).json<Export>()
    expect(byKey.conversations).toEqual(found.conversations)
  }, 60_000)

  it('is whole JSON where there is nothing', async () => {
    const found = (await (await guest(server)).get(path)).json<Export>()
    expect(found).toMatchObject({
      api_keys: [],
      projects: [],
      shares: [],
      memories: [],
      media: [],
      usage: [],
      conversations: [],
    })
  })

  it('has no shares where sharing is off', async () => {
    const other = await sharedTestServer()
    const answer = await (await guest(other)).get(path)
    expect([answer.status, answer.json<Export>().shares]).toEqual([200, []])
  }, 60_000)

  it.each([
    ['none', {}, 'missing_credentials'],
    ['a forged token', { authorization: 'Bearer a.b.c' }, 'invalid_token'],
    ['an unknown key', { 'x-api-key': `sk_live_${'0'.repeat(48)}` }, 'invalid_api_key'],
  ])('is refused without a credential that holds: %s', async (_, headers, code) => {
    const answer = await send(`${server.url}${path}`, { headers })
    expect([answer.status, answer.json<{ error: { code: string } }>().error.code]).toEqual([401, code])
    expect(answer.headers.get('content-disposition')).toBeNull()
  })
})

describe('a reader of an export', () => {
  it('who is slow holds the walk back: what is added far ahead is still found', async () => {
    const client = await guest(server)
    const last = await heavy(client)
    const response = await opened(client)
    await whileNobodyReads()
    await client.post(`/v1/conversations/${last}/items`, { items: [say('Just in time')] })
    const found = JSON.parse(await text(response)) as Export
    const branch = found.conversations.at(-1)?.branches[0]
    expect(textsOf(branch?.items ?? []).at(-1)).toBe('Just in time')
  }, 60_000)

  it('who leaves is no failure', async () => {
    const client = await guest(server)
    await heavy(client)
    const response = await opened(client)
    response.on('error', () => undefined)
    const printed = server.output().length
    response.destroy()
    await whileNobodyReads()
    expect(server.output().slice(printed)).toBe('')
    expect((await client.get('/v1/users/me')).status).toBe(200)
  }, 60_000)

  it('can’t take a part for the whole when the platform fails on the way', async () => {
    const client = await guest(server)
    await heavy(client)
    const database = new pg.Client({ connectionString: server.databaseUrl })
    await database.connect()
    const response = await opened(client)
    await whileNobodyReads()
    await database.query('alter table conversations.branch_item rename to branch_item_lost')
    try {
      await expect(text(response)).rejects.toThrow('aborted')
    } finally {
      await database.query('alter table conversations.branch_item_lost rename to branch_item')
      await database.end()
    }
  }, 60_000)
})
