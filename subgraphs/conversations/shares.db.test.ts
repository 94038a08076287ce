import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph({
    CONVERSATION_SHARING_ENABLED: 'true',
    PUBLIC_URL: 'https://ai.example.com',
  })
})
afterAll(() => test.stop())

type Actor = ReturnType<typeof someActor>

const run = async (text: string, variables = {}, actor: Actor | null = someActor()) =>
  test.graph.clients.execute({ document: parse(text), variables, context: test.contextFor(actor) })

async function dataOf<T>(text: string, variables: object, actor: Actor | null): Promise<T> {
  const { data, errors } = await run(text, variables, actor)
  expect(errors).toBeUndefined()
  return Object.values(data as Record<string, T>)[0] as T
}

const codeOf = async (text: string, variables: object, actor: Actor | null = someActor()) => {
  const { errors } = await run(text, variables, actor)
  const { code, param } = errors?.[0]?.extensions ?? {}
  return { code, param }
}

interface Share {
  id: string
  slug: string
  url: string
  title: string
  viewCount: number
  revokedAt: string | null
  [field: string]: unknown
}

const shareFields =
  'id slug url conversationId itemId title includesImages includesContext viewCount lastViewedAt expiresAt revokedAt createdAt updatedAt'
const shareConversation = `mutation ($input: ShareConversationInput!) { shareConversation(input: $input) { ${shareFields} } }`
const shareItem = `mutation ($input: ShareItemInput!) { shareItem(input: $input) { ${shareFields} } }`
const revokeShare = `mutation ($id: ID!, $conversationId: ID) { revokeShare(id: $id, conversationId: $conversationId) { ${shareFields} } }`
const publicShare = `query ($slug: String!) { publicShare(slug: $slug) { slug title createdAt snapshot {
  title modelName createdAt items { id type role content callId createdAt }
} } }`
const ownShares = `query ($first: Int, $after: String, $order: SortOrder, $includeRevoked: Boolean) {
  shares(first: $first, after: $after, order: $order, includeRevoked: $includeRevoked) { nodes { ${shareFields} } pageInfo { hasNextPage } }
}`

const talk = [
  { role: 'user', content: 'How do I make lasagna?' },
  { role: 'assistant', content: 'In layers.' },
]

async function converse(actor: Actor, items: object[] = talk, fields: object = {}) {
  const created = await dataOf<{ id: string; items: { nodes: { id: string }[] } }>(
    `mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id items(order: ASC) { nodes { id } } } }`,
    { input: { items, ...fields } },
    actor,
  )
  return { id: created.id, items: created.items.nodes.map(({ id }) => id) }
}

const share = (actor: Actor, input: object) => dataOf<Share>(shareConversation, { input }, actor)

interface PublicShare {
  slug: string
  title: string
  snapshot: {
    title: string
    modelName: string | null
    items: { id: string; role: string; content: { text?: string }[]; callId: string | null }[]
  }
}

const open = (slug: string) => dataOf<PublicShare>(publicShare, { slug }, null)
const textsOf = ({ snapshot }: PublicShare) =>
  snapshot.items.map(({ role, content }) => [role, content.map(({ text }) => text).join()])

describe('sharing a conversation', () => {
  it('makes a link that anybody may open, to a snapshot that never changes', async () => {
    const owner = someActor()
    const conversation = await converse(owner, talk, {
      title: 'Lasagna for four',
      metadata: { k: 'private' },
    })
    const made = await share(owner, { conversationId: conversation.id })
    expect(made).toMatchObject({
      id: expect.stringMatching(/^share_[0-9a-z]{16}$/),
      slug: expect.stringMatching(/^[0-9A-Za-z]{22}$/),
      url: `https://ai.example.com/v1/public/shares/${made.slug}`,
      conversationId: conversation.id,
      itemId: null,
      title: 'Lasagna for four',
      includesImages: false,
      includesContext: false,
      expiresAt: null,
      revokedAt: null,
    })
    const before = await open(made.slug)
    expect(before).toMatchObject({ slug: made.slug, title: 'Lasagna for four' })
    expect(textsOf(before)).toEqual([
      ['USER', 'How do I make lasagna?'],
      ['ASSISTANT', 'In layers.'],
    ])
    const ids = before.snapshot.items.map(({ id }) => id)
    expect(ids.every((id) => /^msg_/.test(id) && !conversation.items.includes(id))).toBe(true)
    expect(JSON.stringify(before)).not.toMatch(new RegExp(`private|${owner.id}|${conversation.id}`))

    await dataOf(
      'mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id } } }',
      { input: { conversationId: conversation.id, items: [{ role: 'user', content: 'Later.' }] } },
      owner,
    )
    expect(await open(made.slug)).toEqual(before)
  })

  it('shares what people, models and tools said, and never instructions, reasoning or calls', async () => {
    const owner = someActor()
    const { id } = await converse(owner, [
      { role: 'system', content: 'Secret instruction.' },
      { role: 'developer', content: 'Secret instruction.' },
      { role: 'critic', content: 'Secret judgement.' },
      ...talk,
      { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Secret thought.' }] },
      {
        type: 'mcp_call',
        callId: 'call_1',
        name: 'secret_tool',
        arguments: '{"a":"secret"}',
        output: 'secret',
      },
      { role: 'tool', content: 'Result.', callId: 'call_1', details: { secret: 'detail' } },
      { role: 'assistant', status: 'in_progress', content: 'Secret draft.' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', text: 'Secret thought.' },
          { type: 'output_text', text: 'Done: https://s3.example/x?X-Amz-Signature=secret' },
        ],
      },
    ])
    const shown = await open((await share(owner, { conversationId: id })).slug)
    expect(textsOf(shown)).toEqual([
      ['USER', 'How do I make lasagna?'],
      ['ASSISTANT', 'In layers.'],
      ['TOOL', 'Result.'],
      ['ASSISTANT', 'Done: https://s3.example/x'],
    ])
    expect(shown.snapshot.items[2]?.callId).toBe('call_1')
    expect(JSON.stringify(shown)).not.toMatch(/secret/i)
  })

  it('revokes the earlier link, and forgets its snapshot', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const first = await share(owner, { conversationId: id })
    const second = await share(owner, { conversationId: id })
    expect(await codeOf(publicShare, { slug: first.slug }, null)).toMatchObject({ code: 'share_revoked' })
    expect(textsOf(await open(second.slug))).toHaveLength(2)
    const { rows } = await test.services.database.pool.query(
      'select snapshot is null as forgotten from conversations.share where slug = $1',
      [first.slug],
    )
    expect(rows).toEqual([{ forgotten: true }])
  })

  it('leaves one live link of several made at once', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const made = await Promise.all(Array.from({ length: 6 }, () => share(owner, { conversationId: id })))
    const answers = await Promise.all(made.map(({ slug }) => run(publicShare, { slug }, null)))
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1)
    const live = await dataOf<{ nodes: Share[] }>(ownShares, { includeRevoked: false }, owner)
    expect(live.nodes).toHaveLength(1)
  })

  it('takes its title from the request, else the conversation, else the first that a person said', async () => {
    const owner = someActor()
    const long = 'Tell me\nabout <b>everything</b> that there is to know of pasta and its history'
    const { id } = await converse(owner, [
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: long },
    ])
    expect((await share(owner, { conversationId: id, title: 'My own' })).title).toBe('My own')
    const { title } = await share(owner, { conversationId: id })
    expect(title).toBe('Tell me about <b>everything</b> that there is to k')
    expect(title).toHaveLength(50)
    const silent = await converse(owner, [
      { role: 'user', content: [{ type: 'code', code: 'x' }] },
      { role: 'assistant', content: [{ type: 'code', code: 'y' }] },
    ])
    expect((await share(owner, { conversationId: silent.id })).title).toBe('Untitled conversation')
  })

  it('shares another branch where one is named', async () => {
    const owner = someActor()
    const { id, items } = await converse(owner, [...talk, { role: 'user', content: 'Thanks' }])
    const { oldMainBackup } = await dataOf<{ oldMainBackup: string }>(
      'mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { oldMainBackup } }',
      { input: { conversationId: id, itemId: items[2] } },
      owner,
    )
    expect(textsOf(await open((await share(owner, { conversationId: id })).slug))).toHaveLength(2)
    const former = await share(owner, { conversationId: id, branch: oldMainBackup })
    expect(textsOf(await open(former.slug))).toHaveLength(3)
    expect(await codeOf(shareConversation, { input: { conversationId: id, branch: 'none' } }, owner)).toEqual(
      { code: 'not_found', param: 'branch' },
    )
  })

  it('includes images only when asked', async () => {
    const owner = someActor()
    const { id } = await converse(owner, [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'image', image: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
          { type: 'image', image: { url: 'https://s3.example/x?sig=secret' } },
        ],
      },
      talk[1]!,
    ])
    const without = await open((await share(owner, { conversationId: id })).slug)
    expect(without.snapshot.items[0]?.content).toHaveLength(1)
    const made = await share(owner, { conversationId: id, includeImages: true })
    expect(made).toMatchObject({ includesImages: true })
    const content = (await open(made.slug)).snapshot.items[0]?.content
    expect(content).toHaveLength(2)
    const url = 'data:image/png;base64,iVBORw0KGgo='
    expect(content?.[1]).toEqual({
      type: 'image',
      image: { url },
      image_url: url,
      file_id: null,
      detail: 'auto',
    })
  })

  it('refuses too few items, nothing to share, and more than 10 MB, and leaves the earlier link', async () => {
    const owner = someActor()
    const short = await converse(owner, [talk[0]!])
    const { errors } = await run(shareConversation, { input: { conversationId: short.id } }, owner)
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('2 items'),
      extensions: { code: 'invalid_parameter' },
    })
    const hidden = await converse(owner, [
      { role: 'system', content: 'a' },
      { role: 'system', content: 'b' },
    ])
    expect(await codeOf(shareConversation, { input: { conversationId: hidden.id } }, owner)).toMatchObject({
      code: 'invalid_parameter',
    })
    const large = await converse(owner, talk)
    const earlier = await share(owner, { conversationId: large.id })
    const block = { type: 'input_text', text: 'x'.repeat(99_000) }
    for (let at = 0; at < 2; at += 1) {
      const items = [{ role: 'user', content: Array.from({ length: 54 }, () => block) }]
      await dataOf(
        'mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id } } }',
        { input: { conversationId: large.id, items } },
        owner,
      )
    }
    expect(await codeOf(shareConversation, { input: { conversationId: large.id } }, owner)).toMatchObject({
      code: 'payload_too_large',
    })
    expect(textsOf(await open(earlier.slug))).toHaveLength(2)
  })

  it('shares all of a long conversation, page by page', async () => {
    const owner = someActor()
    const { id } = await converse(owner, [])
    for (let at = 0; at < 60; at += 1) {
      const items = Array.from({ length: 20 }, (_, n) => ({ role: 'user', content: `${at * 20 + n}` }))
      await dataOf(
        'mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id } } }',
        { input: { conversationId: id, items } },
        owner,
      )
    }
    const shown = await open((await share(owner, { conversationId: id })).slug)
    expect(shown.snapshot.items.map(({ content }) => content[0]?.text)).toEqual(
      Array.from({ length: 1_200 }, (_, n) => `${n}`),
    )
  }, 60_000)

  it('keeps characters that PostgreSQL’s text can’t hold, and a title without them', async () => {
    const owner = someActor()
    const { id } = await converse(owner, [{ role: 'user', content: 'a\u0000b \ud800' }, talk[1]!])
    const made = await share(owner, { conversationId: id })
    expect(made.title).toBe('ab \ufffd')
    expect(textsOf(await open(made.slug))[0]).toEqual(['USER', 'a\u0000b \ud800'])
  })
})

describe('sharing one answer', () => {
  it('shares it alone, or with the question before it', async () => {
    const owner = someActor()
    const { id, items } = await converse(owner, [
      { role: 'user', content: 'Earlier' },
      talk[0]!,
      { role: 'tool', content: 'Result' },
      talk[1]!,
    ])
    const input = { conversationId: id, itemId: items[3] }
    const alone = await dataOf<Share>(shareItem, { input }, owner)
    expect(alone).toMatchObject({ itemId: items[3], includesContext: false, title: 'In layers.' })
    expect(textsOf(await open(alone.slug))).toEqual([['ASSISTANT', 'In layers.']])
    const both = await dataOf<Share>(shareItem, { input: { ...input, includeContext: true } }, owner)
    expect(both).toMatchObject({ includesContext: true, title: 'How do I make lasagna?' })
    expect(textsOf(await open(both.slug))).toEqual([
      ['USER', 'How do I make lasagna?'],
      ['ASSISTANT', 'In layers.'],
    ])
    expect(await codeOf(publicShare, { slug: alone.slug }, null)).toMatchObject({ code: 'share_revoked' })
  })

  it('refuses what is no whole message of the assistant, or not of this conversation', async () => {
    const owner = someActor()
    const { id, items } = await converse(owner, [
      ...talk,
      { role: 'assistant', status: 'incomplete', content: 'Half' },
    ])
    const other = await converse(owner)
    const ask = (itemId: string) => codeOf(shareItem, { input: { conversationId: id, itemId } }, owner)
    for (const item of [items[0], items[2]])
      expect(await ask(item!)).toEqual({ code: 'invalid_parameter', param: 'item_id' })
    for (const item of [other.items[1], 'msg_000000000000000000000000', 'nonsense'])
      expect(await ask(item!)).toMatchObject({ code: 'item_not_found' })
  })
})

describe('a link', () => {
  it('counts what is read of it, but not whoever only looks whether it is there', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const { slug } = await share(owner, { conversationId: id })
    await Promise.all(Array.from({ length: 5 }, () => open(slug)))
    await run('query ($slug: String!) { publicShare(slug: $slug) { title } }', { slug }, null)
    const count = async () => (await dataOf<{ nodes: Share[] }>(ownShares, {}, owner)).nodes[0] as Share
    while ((await count()).viewCount < 5) await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await count()).toMatchObject({ viewCount: 5, lastViewedAt: expect.any(String) })
  })

  it('hands out one snapshot an operation', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const { slug } = await share(owner, { conversationId: id })
    const query = `query ($slug: String!) {
      a: publicShare(slug: $slug) { snapshot { title } } b: publicShare(slug: $slug) { snapshot { title } }
    }`
    expect(await codeOf(query, { slug }, null)).toEqual({ code: 'max_items_exceeded', param: 'snapshot' })
  })

  it('ends when its time has come', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const { slug, expiresAt, createdAt } = await share(owner, { conversationId: id, expiresIn: 3_600 })
    expect(Date.parse(expiresAt as string) - Date.parse(createdAt as string)).toBe(3_600_000)
    expect(textsOf(await open(slug))).toHaveLength(2)
    await test.services.database.pool.query(
      `update conversations.share set expires_at = now() where slug = $1`,
      [slug],
    )
    expect(await codeOf(publicShare, { slug }, null)).toMatchObject({ code: 'share_expired' })
    const longest = await share(owner, { conversationId: id, expiresIn: 2 ** 31 - 1 })
    expect(textsOf(await open(longest.slug))).toHaveLength(2)
    for (const expiresIn of [0, -1])
      expect(await codeOf(shareConversation, { input: { conversationId: id, expiresIn } }, owner)).toEqual({
        code: 'invalid_parameter',
        param: 'expires_in',
      })
  })

  it.each(['', 'short', '0'.repeat(22), '\u0000'.repeat(22), '%'.repeat(22), 'x'.repeat(5_000)])(
    'that is none is null: %j',
    async (slug) => {
      expect((await run(publicShare, { slug }, null)).data).toEqual({ publicShare: null })
    },
  )

  it('is revoked with its conversation, by one deletion or by all', async () => {
    const owner = someActor()
    const [one, other] = [await converse(owner), await converse(owner)]
    const shares = [
      await share(owner, { conversationId: one.id }),
      await share(owner, { conversationId: other.id }),
    ]
    await run('mutation ($id: ID!) { deleteConversation(id: $id) { id } }', { id: one.id }, owner)
    expect(await codeOf(publicShare, { slug: shares[0]!.slug }, null)).toMatchObject({
      code: 'share_revoked',
    })
    expect(textsOf(await open(shares[1]!.slug))).toHaveLength(2)
    await run('mutation { deleteConversations { count } }', {}, owner)
    expect(await codeOf(publicShare, { slug: shares[1]!.slug }, null)).toMatchObject({
      code: 'share_revoked',
    })
    const listed = await dataOf<{ nodes: Share[] }>(ownShares, {}, owner)
    expect(listed.nodes.map(({ revokedAt }) => revokedAt)).toEqual([expect.any(String), expect.any(String)])
    expect(await dataOf(ownShares, { includeRevoked: false }, owner)).toMatchObject({ nodes: [] })
    expect(await codeOf(revokeShare, { id: shares[0]!.id }, owner)).toEqual({
      code: 'invalid_parameter',
      param: 'share_id',
    })
  })
})

describe('revoking', () => {
  it('ends a link once', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const made = await share(owner, { conversationId: id })
    expect(await dataOf(revokeShare, { id: made.id }, owner)).toMatchObject({
      id: made.id,
      revokedAt: expect.any(String),
    })
    expect(await codeOf(publicShare, { slug: made.slug }, null)).toMatchObject({ code: 'share_revoked' })
    expect(await codeOf(revokeShare, { id: made.id }, owner)).toEqual({
      code: 'invalid_parameter',
      param: 'share_id',
    })
  })

  it('holds the share against the conversation that is named', async () => {
    const owner = someActor()
    const [one, other] = [await converse(owner), await converse(owner)]
    const { id, slug } = await share(owner, { conversationId: one.id })
    expect(await codeOf(revokeShare, { id, conversationId: other.id }, owner)).toMatchObject({
      code: 'not_found',
    })
    expect(textsOf(await open(slug))).toHaveLength(2)
    expect(await dataOf(revokeShare, { id, conversationId: one.id }, owner)).toMatchObject({ id })
  })

  it('tells strangers nothing', async () => {
    const owner = someActor()
    const { id: conversationId } = await converse(owner)
    const { id, slug } = await share(owner, { conversationId })
    for (const unknown of [id, 'share_0000000000000000', 'nonsense'])
      expect(await codeOf(revokeShare, { id: unknown })).toMatchObject({ code: 'not_found' })
    expect(await codeOf(shareConversation, { input: { conversationId } })).toMatchObject({
      code: 'conversation_not_found',
    })
    expect(textsOf(await open(slug))).toHaveLength(2)
  })
})

describe('lists of shares', () => {
  it('page by keyset in both directions, with revoked ones or without', async () => {
    const owner = someActor()
    const { id } = await converse(owner)
    const made: Share[] = []
    for (let at = 0; at < 3; at += 1) made.push(await share(owner, { conversationId: id }))
    const ids = async (variables: object) => {
      const page = await dataOf<{ nodes: Share[]; pageInfo: { hasNextPage: boolean } }>(
        ownShares,
        variables,
        owner,
      )
      return [page.nodes.map((one) => made.findIndex(({ id }) => id === one.id)), page.pageInfo.hasNextPage]
    }
    expect(await ids({})).toEqual([[2, 1, 0], false])
    expect(await ids({ first: 2 })).toEqual([[2, 1], true])
    expect(await ids({ first: 2, after: made[1]!.id })).toEqual([[0], false])
    expect(await ids({ order: 'ASC', first: 1 })).toEqual([[0], true])
    expect(await ids({ includeRevoked: false })).toEqual([[2], false])
    for (const after of ['share_0000000000000000', 'nonsense', id])
      expect(await codeOf(ownShares, { after }, owner)).toEqual({ code: 'invalid_cursor', param: 'after' })
    expect(await codeOf(ownShares, { after: made[0]!.id })).toMatchObject({ code: 'invalid_cursor' })
  })

  it('of many conversations come in one statement', async () => {
    const owner = someActor()
    for (let at = 0; at < 4; at += 1) {
      const { id } = await converse(owner)
      await share(owner, { conversationId: id })
    }
    test.takeStatements()
    const page = await dataOf<{ nodes: { shares: { nodes: Share[] } }[] }>(
      '{ conversations { nodes { id shares(first: 5) { nodes { conversationId } } } } }',
      {},
      owner,
    )
    expect(page.nodes.map(({ shares }) => shares.nodes.length)).toEqual([1, 1, 1, 1])
    expect(test.takeStatements().filter((sql) => sql.includes('conversations.share'))).toHaveLength(1)
  })
})

describe('where sharing is switched off', () => {
  let off: TestGraph
  beforeAll(async () => {
    off = await startTestGraph()
  })
  afterAll(() => off.stop())

  const asked = async (text: string, variables: Record<string, unknown>, actor: Actor | null) =>
    off.graph.clients.execute({ document: parse(text), variables, context: off.contextFor(actor) })

  it('links are neither made nor listed; those that there are stay open and may be revoked', async () => {
    const owner = someActor()
    const { data } = await asked(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id items(order: ASC) { nodes { id } } } }',
      { input: { items: talk } },
      owner,
    )
    const { id, items } = (data as { createConversation: { id: string; items: { nodes: { id: string }[] } } })
      .createConversation
    const refused: [string, Record<string, unknown>][] = [
      [shareConversation, { input: { conversationId: id } }],
      [shareItem, { input: { conversationId: id, itemId: items.nodes[1]!.id } }],
      [ownShares, {}],
      ['query ($id: ID!) { conversation(id: $id) { shares { nodes { id } } } }', { id }],
    ]
    for (const [text, variables] of refused) {
      const { errors } = await asked(text, variables, owner)
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'feature_disabled' })
    }
    await off.services.database.pool.query(
      `insert into conversations.share (public_id, slug, conversation_key, owner_id, title, includes_images, includes_context, snapshot)
       select 'share_0123456789abcdef', repeat('a', 22), key, owner_id, 'Earlier', false, false,
         '{"modelName":null,"createdAt":"2026-01-01T00:00:00.000Z","items":[]}'
       from conversations.conversation`,
    )
    expect((await asked(publicShare, { slug: 'a'.repeat(22) }, null)).data).toMatchObject({
      publicShare: { title: 'Earlier' },
    })
    expect((await asked(revokeShare, { id: 'share_0123456789abcdef' }, owner)).errors).toBeUndefined()
  })
})
