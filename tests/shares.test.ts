import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Answer, guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: TestServer
let client: TestClient
beforeAll(async () => {
  server = await startTestServer({ CONVERSATION_SHARING_ENABLED: 'true' })
  client = await guest(server)
}, 60_000)
afterAll(() => server.stop())

interface Share {
  id: string
  slug: string
  share_url: string
  view_count: number
  [field: string]: unknown
}

interface SharedItem {
  id: string
  role: string
  content: { type: string; text: string }[]
}

async function converse(items?: object[]) {
  const given = items ?? [
    { role: 'user', content: 'How do I make lasagna?' },
    { role: 'assistant', content: 'In layers.' },
  ]
  const { id } = (await client.post('/v1/conversations', { title: 'Lasagna for four' })).json<{
    id: string
  }>()
  const added = await client.post(`/v1/conversations/${id}/items`, { items: given })
  return { id, path: `/v1/conversations/${id}`, items: added.json<{ data: { id: string }[] }>().data }
}

const made = async (path: string, body?: object): Promise<Share> => {
  const answer = await client.post(path, body)
  expect({ status: answer.status, text: answer.status === 201 ? '' : answer.text }).toEqual({
    status: 201,
    text: '',
  })
  return answer.json<Share>()
}

const errorOf = (answer: Answer) => {
  const { error } = answer.json<{ error: { code: string; param: string | null } }>()
  return { status: answer.status, code: error.code, param: error.param }
}

const publicly = (slug: string, init: RequestInit = {}) =>
  send(`${server.url}/v1/public/shares/${slug}`, init)

describe('sharing over REST', () => {
  it('makes a share in the dual shape, whose link opens without a credential', async () => {
    const { path } = await converse()
    const share = await made(`${path}/share`, {
      scope: 'conversation',
      read_only: true,
      allow_feedback: false,
    })
    expect(share).toMatchObject({
      object: 'share',
      id: expect.stringMatching(/^share_/),
      share_id: share.id,
      share_url: `${server.url}/v1/public/shares/${share.slug}`,
      url: share.share_url,
      share_link: share.share_url,
      title: 'Lasagna for four',
      visibility: 'unlisted',
      view_count: 0,
      snapshot_version: 1,
      share_options: { include_images: false, include_context_messages: false },
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
      data: { id: share.id, slug: share.slug },
      meta: { api_version: 'v1' },
    })
    for (const url of [
      share.share_url,
      `${server.url}/v1/share/${share.slug}`,
      `${server.url}/llm/v1/public/shares/${share.slug}`,
    ]) {
      const answer = await send(url)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(answer.headers.get('vary')).toContain('Accept')
      expect(answer.json()).toEqual({
        object: 'public_share',
        slug: share.slug,
        title: 'Lasagna for four',
        created_at: share.created_at,
        snapshot: {
          title: 'Lasagna for four',
          created_at: expect.any(Number),
          items: [
            expect.objectContaining({ type: 'message', role: 'user' }),
            expect.objectContaining({
              role: 'assistant',
              content: [expect.objectContaining({ type: 'output_text', text: 'In layers.' })],
            }),
          ],
        },
      })
    }
  })

  it('shares what a model answered, and names the model', async () => {
    const model = (await client.get('/v1/models')).json<{ data: { id: string }[] }>().data[0]!.id
    const { id, path } = await converse()
    const messages = [{ role: 'user', content: 'And a salad?' }]
    await client.post('/v1/chat/completions', { model, messages, conversation: id, store: true })
    const { slug } = await made(`${path}/share`)
    const { snapshot } = (await publicly(slug)).json<{
      snapshot: { model_name: string; items: SharedItem[] }
    }>()
    expect(snapshot.model_name).toBe(model)
    expect(snapshot.items).toHaveLength(4)
  })

  it('answers HEAD without counting, and counts the rest', async () => {
    const { path } = await converse()
    const share = await made(`${path}/share`)
    const head = await publicly(share.slug, { method: 'HEAD' })
    expect({ status: head.status, text: head.text, cache: head.headers.get('cache-control') }).toEqual({
      status: 200,
      text: '',
      cache: 'public, max-age=300',
    })
    expect((await publicly('0'.repeat(22), { method: 'HEAD' })).status).toBe(404)
    for (let at = 0; at < 3; at += 1) await publicly(share.slug)
    const views = async () =>
      (await client.get(`${path}/shares`)).json<{ data: Share[] }>().data[0]?.view_count ?? 0
    while ((await views()) < 3) await new Promise((resolve) => setTimeout(resolve, 100))
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await views()).toBe(3)
  })

  it('shares one answer, by scope or by its own path, with the question or without', async () => {
    const { path, items } = await converse()
    const answer = items[1]!.id
    const texts = async (slug: string) =>
      (await publicly(slug))
        .json<{ snapshot: { items: SharedItem[] } }>()
        .snapshot.items.map(({ content }) => content[0]!.text)
    const alone = await made(`${path}/share`, { scope: 'item', item_id: answer })
    expect(alone).toMatchObject({ item_id: answer })
    expect(await texts(alone.slug)).toEqual(['In layers.'])
    const both = await made(`${path}/items/${answer}/share`, { include_context: true, expires_in: 60 })
    expect(both).toMatchObject({
      item_id: answer,
      share_options: { include_context_messages: true },
      expires_at: (both.created_at as number) + 60,
    })
    expect(await texts(both.slug)).toEqual(['How do I make lasagna?', 'In layers.'])
    expect(errorOf(await client.post(`${path}/share`, { scope: 'item' }))).toEqual({
      status: 400,
      code: 'missing_parameter',
      param: 'item_id',
    })
    expect(errorOf(await client.post(`${path}/items/${items[0]!.id}/share`))).toEqual({
      status: 400,
      code: 'invalid_parameter',
      param: 'item_id',
    })
  })

  it('lists with revoked ones or without, in pages', async () => {
    const caller = await guest(server)
    const other = client
    client = caller
    const { path } = await converse()
    const shares = [await made(`${path}/share`), await made(`${path}/share`), await made(`${path}/share`)]
    client = other
    const ids = async (url: string) =>
      (await caller.get(url)).json<{ data: Share[] }>().data.map(({ id }) => id)
    const newestFirst = shares.map(({ id }) => id).reverse()
    for (const list of [`${path}/shares`, '/v1/shares']) {
      expect(await ids(list)).toEqual(newestFirst)
      expect(await ids(`${list}?include_revoked=false`)).toEqual([newestFirst[0]])
      expect((await caller.get(`${list}?limit=2`)).json()).toMatchObject({
        object: 'list',
        has_more: true,
        next_after: newestFirst[1],
      })
      expect(await ids(`${list}?limit=2&after=${newestFirst[1]}`)).toEqual([newestFirst[2]])
      expect(errorOf(await caller.get(`${list}?after=share_0000000000000000`))).toMatchObject({
        status: 400,
        code: 'invalid_cursor',
      })
    }
    expect((await caller.get(`${path}/shares`)).json<{ data: Share[] }>().data[1]).toMatchObject({
      revoked_at: expect.any(Number),
    })
  })

  it.each([
    ['shares', (path: string, share: string) => `${path}/shares/${share}`],
    ['share', (path: string, share: string) => `${path}/share/${share}`],
    ['no conversation', (_: string, share: string) => `/v1/shares/${share}`],
  ])('revokes by each path, once: %s', async (_, target) => {
    const { path } = await converse()
    const { id, slug } = await made(`${path}/share`)
    expect((await client.delete(target(path, id))).json()).toEqual({
      id,
      object: 'share.deleted',
      deleted: true,
    })
    const gone = await publicly(slug)
    expect(errorOf(gone)).toEqual({ status: 410, code: 'share_revoked', param: null })
    expect(gone.headers.get('cache-control')).toBeNull()
    expect(errorOf(await client.delete(target(path, id)))).toEqual({
      status: 400,
      code: 'invalid_parameter',
      param: 'share_id',
    })
  })

  it('leaves one live link of two made at the same time', async () => {
    const { path } = await converse()
    const shares = await Promise.all([made(`${path}/share`), made(`${path}/share`)])
    const statuses = await Promise.all(shares.map(async ({ slug }) => (await publicly(slug)).status))
    expect(statuses.toSorted()).toEqual([200, 410])
  })

  it('revokes with the conversation', async () => {
    const { path } = await converse()
    const { slug } = await made(`${path}/share`)
    await client.delete(path)
    expect(errorOf(await publicly(slug))).toMatchObject({ status: 410, code: 'share_revoked' })
  })

  it('makes one share for a request that comes twice with a key', async () => {
    const { path } = await converse()
    const ask = () =>
      send(`${server.url}${path}/share`, {
        method: 'POST',
        headers: { ...client.headers, 'idempotency-key': `share ${path}` },
        json: {},
      })
    const [first, second] = [await ask(), await ask()]
    expect(second.text).toBe(first.text)
    expect((await publicly(first.json<Share>().slug)).status).toBe(200)
  })

  it.each([
    ['an empty conversation', {}, 400, 'invalid_parameter', null],
    ['a scope that there is not', { scope: 'everything' }, 400, 'invalid_parameter', 'scope'],
    ['an end before the beginning', { expires_in: 0 }, 400, 'invalid_parameter', 'expires_in'],
    ['a blank title', { title: ' ' }, 400, 'invalid_parameter', 'title'],
    ['a branch that there is not', { branch: 'none' }, 404, 'not_found', 'branch'],
  ])('refuses %s', async (_, body, status, code, param) => {
    const { id } = (await client.post('/v1/conversations', {})).json<{ id: string }>()
    const answer = await client.post(`/v1/conversations/${id}/share`, body)
    expect(errorOf(answer)).toEqual({ status, code, param })
    if (param === null) expect(answer.text).toContain('2 items')
  })

  it('refuses malformed ids and links, and finds nothing behind unknown ones', async () => {
    for (const slug of ['short', `${'a'.repeat(21)}-`, 'a'.repeat(23), '%00'])
      expect(errorOf(await publicly(slug))).toEqual({ status: 400, code: 'invalid_id', param: 'slug' })
    expect(errorOf(await publicly('a'.repeat(22)))).toMatchObject({ status: 404, code: 'not_found' })
    expect(errorOf(await client.delete('/v1/shares/nonsense'))).toMatchObject({
      status: 400,
      code: 'invalid_id',
    })
    expect(errorOf(await client.delete('/v1/shares/share_0000000000000000'))).toMatchObject({
      status: 404,
      code: 'not_found',
    })
    expect((await publicly('a'.repeat(22), { method: 'POST' })).status).toBe(405)
  })

  it('says nothing of who shared', async () => {
    const { path, id, items } = await converse()
    const { slug, id: shareId } = await made(`${path}/share`)
    const me = (await client.get('/auth/me')).json<{ id: string }>()
    const { text } = await publicly(slug)
    for (const secret of [me.id, id, shareId, ...items.map((item) => item.id)])
      expect(text).not.toContain(secret)
  })
})

describe('a platform that is told to stop', () => {
  const isGone = (pid: number) => {
    try {
      return !process.kill(pid, 0)
    } catch {
      return true
    }
  }

  it('stores first how often links were opened', async () => {
    const { path } = await converse()
    const { slug } = await made(`${path}/share`)
    await publicly(slug)
    const pids = server.pids()
    for (const pid of pids.toReversed()) process.kill(pid, 'SIGTERM')
    while (!pids.every(isGone)) await new Promise((resolve) => setTimeout(resolve, 50))
    await server.start()
    const { data } = (await client.get(`${path}/shares`)).json<{ data: Share[] }>()
    expect(data[0]?.view_count).toBe(1)
  }, 60_000)
})

describe('where sharing is switched off, as it is by default', () => {
  let off: SharedServer
  beforeAll(async () => {
    off = await sharedTestServer()
  }, 60_000)

  it('links are neither made nor listed', async () => {
    const caller = await guest(off)
    const { id } = (await caller.post('/v1/conversations', {})).json<{ id: string }>()
    const refused = [
      await caller.post(`/v1/conversations/${id}/share`, {}),
      await caller.post(`/v1/conversations/${id}/items/msg_000000000000000000000000/share`, {}),
      await caller.get(`/v1/conversations/${id}/shares`),
      await caller.get('/v1/shares'),
    ]
    for (const answer of refused)
      expect(errorOf(answer)).toEqual({ status: 403, code: 'feature_disabled', param: null })
    expect((await send(`${off.url}/v1/public/shares/${'a'.repeat(22)}`)).status).toBe(404)
  })
})
