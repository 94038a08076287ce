import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { openDatabase } from '../../platform/db.ts'
import { createTestDatabase } from '../../platform/testing/test-database.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { indexChanges } from './sources/search-index.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

async function refusal(actor: Actor, variables: object): Promise<unknown> {
  const { errors } = await test.graph.clients.execute({
    document: parse(searchText),
    variables: { ...variables },
    context: test.contextFor(actor),
  })
  return errors?.[0]?.extensions
}

/** A conversation with these messages of its user. */
async function conversation(actor: Actor, title: string | null, ...said: string[]): Promise<string> {
  const { createConversation } = await test.run<{ createConversation: { id: string } }>(
    actor,
    'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
    { input: { title, items: said.map((content) => ({ role: 'user', content })) } },
  )
  return createConversation.id
}

const deleteItem = (actor: Actor, conversationId: string, itemId: string | undefined) =>
  test.run(actor, 'mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id } }', {
    input: { conversationId, itemId },
  })

interface Found {
  readonly search: {
    readonly nodes: {
      readonly conversation: { readonly id: string }
      readonly score: number
      readonly title: string | null
      readonly matches: {
        readonly snippet: string
        readonly item: { readonly id: string; readonly role: string }
      }[]
    }[]
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
    readonly totalCount: number
  }
}

const searchText = `query ($text: String!, $projectId: ID, $first: Int, $after: String, $offset: Int) {
  search(text: $text, projectId: $projectId, first: $first, after: $after, offset: $offset) {
    nodes { conversation { id } score title matches { snippet item { id role } } }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}`

async function search(actor: Actor, text: string, more: object = {}): Promise<Found['search']> {
  return (await test.run<Found>(actor, searchText, { text, ...more })).search
}

async function idsFound(actor: Actor, text: string): Promise<string[]> {
  return (await search(actor, text)).nodes.map((hit) => hit.conversation.id)
}

describe('what is searched', () => {
  it('is found at once in titles and messages, whatever its case and accents, with the words marked', async () => {
    const actor = someActor()
    const titled = await conversation(actor, 'A recipe for Crème brûlée', 'How long in the oven?')
    const said = await conversation(actor, 'Dessert', 'I like creme with berries.', 'Nothing here.')
    await conversation(actor, 'Something else', 'Entirely.')
    const { nodes, totalCount } = await search(actor, 'CREME')
    expect(totalCount).toBe(2)
    expect(nodes).toMatchObject([
      { conversation: { id: titled }, title: 'A recipe for <mark>Crème</mark> brûlée', matches: [] },
      {
        conversation: { id: said },
        title: 'Dessert',
        matches: [{ item: { role: 'USER' }, snippet: 'I like <mark>creme</mark> with berries.' }],
      },
    ])
    const scores = nodes.map(({ score }) => score)
    expect(scores).toEqual([...scores].sort((one, other) => other - one))
    expect(scores.every((score) => score > 0 && score <= 1)).toBe(true)
  })

  it('is all of the words, a phrase, a choice, without others, and the beginning of the last', async () => {
    const actor = someActor()
    const one = await conversation(actor, null, 'The quick brown fox')
    const two = await conversation(actor, null, 'The brown and quick dog')
    expect(new Set(await idsFound(actor, 'quick brown'))).toEqual(new Set([one, two]))
    expect(await idsFound(actor, '"quick brown"')).toEqual([one])
    expect(await idsFound(actor, 'quick -dog')).toEqual([one])
    expect(new Set(await idsFound(actor, 'fox or dog'))).toEqual(new Set([one, two]))
    expect(new Set(await idsFound(actor, 'brown qui'))).toEqual(new Set([one, two]))
    expect(await idsFound(actor, 'qui brown')).toEqual([])
    expect(await idsFound(actor, 'quick zebra')).toEqual([])
    expect(await idsFound(actor, '&|!():*<->')).toEqual([])
  })

  it('finds what stands in angle brackets, and addresses as they are written', async () => {
    const actor = someActor()
    const code = await conversation(actor, null, 'const names: Array<Wombat> = [] // </aside>')
    const address = await conversation(actor, null, 'It is at https://example.com/marsupials/9 I think.')
    for (const text of ['wombat', 'Array<Wombat>', '"array wombat"', '<aside>', 'wom'])
      expect([text, await idsFound(actor, text)]).toEqual([text, [code]])
    for (const text of [
      'https://example.com/marsupials/9',
      'example.com',
      '"at https://example.com/marsupials/9"',
    ])
      expect([text, await idsFound(actor, text)]).toEqual([text, [address]])
  })

  it('is shown as HTML in which nothing of the text is markup', async () => {
    const actor = someActor()
    await conversation(actor, null, '<script>alert("needle")</script> & <b>needle</b>')
    const [hit] = (await search(actor, 'needle')).nodes
    expect(hit?.matches[0]?.snippet).toContain('<mark>needle</mark>')
    expect(hit?.matches[0]?.snippet.replaceAll(/<\/?mark>/g, '')).not.toMatch(/[<>"]/)
  })

  it('is shown from where it stands in a long text that PostgreSQL could not store as it is', async () => {
    const actor = someActor()
    await conversation(actor, null, `${'straw \u0000 '.repeat(1_000)} Nädel ${'straw '.repeat(1_000)}`)
    const [hit] = (await search(actor, 'nadel')).nodes
    expect(hit?.matches[0]?.snippet).toContain('<mark>Nädel</mark>')
  })

  it('is refused when it is empty or too long', async () => {
    const actor = someActor()
    expect(await refusal(actor, { text: ' ' })).toMatchObject({ code: 'invalid_parameter', param: 'search' })
    expect(await refusal(actor, { text: 'x'.repeat(501) })).toMatchObject({ param: 'search' })
    expect(await refusal(actor, { text: 'a\u0000b' })).toMatchObject({ param: 'search' })
    expect(await refusal(actor, { text: 'a', after: 'conv_0000000000000000' })).toMatchObject({
      code: 'invalid_cursor',
    })
  })
})

describe('what is found', () => {
  it('is nobody else’s, also where a text names its owner as the index does', async () => {
    const [owner, stranger] = [someActor(), someActor()]
    await conversation(owner, 'Secret plans', 'Secret words.')
    await conversation(stranger, null, `secret ' ${owner.id}' ${owner.id}`)
    expect((await search(stranger, 'secret')).nodes).toHaveLength(1)
    expect((await search(owner, 'secret')).nodes).toHaveLength(1)
  })

  it('follows new titles, deleted items and deleted conversations', async () => {
    const actor = someActor()
    const id = await conversation(actor, 'Walrus', 'Narwhal one', 'Narwhal two')
    await test.run(
      actor,
      'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id } }',
      {
        input: { id, title: 'Seal' },
      },
    )
    expect(await idsFound(actor, 'walrus')).toEqual([])
    expect(await idsFound(actor, 'seal')).toEqual([id])

    const both = (await search(actor, 'narwhal')).nodes[0]?.matches ?? []
    expect(both).toHaveLength(2)
    await deleteItem(actor, id, both[0]?.item.id)
    expect((await search(actor, 'narwhal')).nodes[0]?.matches).toHaveLength(1)

    await test.run(actor, 'mutation ($id: ID!) { deleteConversation(id: $id) { id } }', { id })
    expect(await idsFound(actor, 'narwhal')).toEqual([])
    expect(await idsFound(actor, 'seal')).toEqual([])
  })

  it('is not held up by what was erased before it was indexed', async () => {
    const { pool } = test.services.database
    const id = await conversation(someActor(), 'Erased', 'Gone')
    await pool.query(
      `with gone as (delete from conversations.conversation where public_id = $1 returning key)
       insert into conversations.search_pending (conversation_key, item_key) select key, 0 from gone`,
      [id],
    )
    for (;;) {
      const { rows } = await pool.query('select 1 from conversations.search_pending limit 1')
      if (rows.length === 0) break
    }
    const { rows } = await pool.query(
      'select 1 from conversations.search_entry where conversation_key not in (select key from conversations.conversation)',
    )
    expect(rows).toEqual([])
  })

  it('is found beside pictures, of which no more is read than a request may carry', async () => {
    const actor = someActor()
    const ids: string[] = []
    for (let at = 0; at < 4; at++) ids.push(await conversation(actor, null, 'Look at this okapi'))
    await test.services.database.pool.query(
      `update conversations.item set content = json_build_array(
         json_build_object('type', 'image', 'image', json_build_object('url', repeat('x', 12000000))),
         json_build_object('type', 'input_text', 'text', 'An okapi again')
       ) where conversation_key in (select key from conversations.conversation where public_id = any($1))`,
      [ids],
    )
    const { nodes } = await search(actor, 'okapi')
    expect(new Set(nodes.map((hit) => hit.conversation.id))).toEqual(new Set(ids))
    const snippets = nodes.flatMap(({ matches }) => matches.map(({ snippet }) => snippet))
    expect(snippets).toEqual(Array(3).fill('An <mark>okapi</mark> again'))
  })

  it('comes in pages that neither repeat nor skip', async () => {
    const actor = someActor()
    const all = []
    for (let at = 0; at < 7; at++) all.push(await conversation(actor, `Paged ${at}`))
    const seen: string[] = []
    let after: string | null = null
    do {
      const page: Found['search'] = await search(actor, 'paged', { first: 3, after })
      expect(page.totalCount).toBe(7)
      seen.push(...page.nodes.map((hit) => hit.conversation.id))
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
    } while (after !== null)
    expect(seen).toHaveLength(7)
    expect(new Set(seen)).toEqual(new Set(all))
    expect((await search(actor, 'paged', { first: 3, offset: 5 })).nodes).toHaveLength(2)
  })

  it('is looked for in the whole past where the words are rare', async () => {
    const actor = someActor()
    const old = await conversation(actor, 'Coelacanth')
    const edited = await conversation(actor, null, 'Edited over and over')
    await test.services.database.pool.query(
      `with left_behind as (
         insert into conversations.item (conversation_key, type, role, status, content, details, created_at)
         select key, 'message', 'user', 'completed', '[{"type":"input_text","text":"A thylacine"}]', '{}', now() - interval '1 hour'
         from conversations.conversation, generate_series(1, 150) where public_id = $1
         returning key
       ) select count(*) from left_behind`,
      [edited],
    )
    expect(await idsFound(actor, 'thylacine')).toEqual([])
    await test.run(actor, 'mutation ($input: AddItemsInput!) { addItems(input: $input) { __typename } }', {
      input: { conversationId: edited, items: [{ role: 'user', content: 'A thylacine' }] },
    })
    expect(await idsFound(actor, 'thylacine')).toEqual([edited])
    const others = []
    for (let at = 0; at < 4; at++) others.push(await conversation(actor, null, `A quagga, number ${at}`))
    await test.services.database.pool.query(
      `with made as (
         insert into conversations.conversation (public_id, owner_id, title, active_branch_key)
         select 'conv_' || substr(md5(n::text), 1, 16), $1, 'filler', b.key
         from generate_series(1, 6500) n, (select active_branch_key as key from conversations.conversation where public_id = $2) b
         returning key
       ) select count(*) from made`,
      [actor.id, old],
    )
    for (;;) {
      const { rows } = await test.services.database.pool.query(
        'select 1 from conversations.search_pending limit 1',
      )
      if (rows.length === 0) break
    }
    expect((await search(actor, 'filler')).totalCount).toBe(200)
    expect(await idsFound(actor, 'coelacanth')).toEqual([old])
    expect(await idsFound(actor, 'thylacine')).toEqual([edited])
    const [gone, ...left] = others.reverse()
    const said = (await search(actor, 'quagga')).nodes.find((hit) => hit.conversation.id === gone)
    await deleteItem(actor, gone as string, said?.matches[0]?.item.id)
    expect(await search(actor, 'quagga', { first: 2 })).toMatchObject({
      nodes: left.slice(0, 2).map((id) => ({ conversation: { id } })),
      pageInfo: { hasNextPage: true },
      totalCount: 3,
    })
    expect(await search(actor, 'quagga', { first: 2, after: left[1] })).toMatchObject({
      nodes: [{ conversation: { id: left[2] } }],
      pageInfo: { hasNextPage: false },
      totalCount: 3,
    })
  })

  it('costs as many statements for one hit as for many', async () => {
    const actor = someActor()
    const counts: number[] = []
    for (const more of [1, 12]) {
      for (let at = 0; at < more; at++) await conversation(actor, `Counted ${at}`, 'counted words')
      await search(actor, 'counted')
      test.takeStatements()
      expect((await search(actor, 'counted', { first: 50 })).nodes.length).toBeGreaterThanOrEqual(more)
      counts.push(test.takeStatements().length)
    }
    expect(counts[1]).toBe(counts[0])
  })
})

describe('what is indexed at once', () => {
  it('is no more than a request may carry; the rest comes with the next', async () => {
    const empty = await createTestDatabase()
    const opened = openDatabase({ url: empty.url, poolSize: 2, log: test.services.log })
    try {
      const database = await opened.attach({ name: 'conversations', entities: [], migrations: [] })
      await opened.pool.query(
        `with conversation as (
           insert into conversations.conversation (public_id, owner_id, active_branch_key)
           values ('conv_0000000000000000', gen_random_uuid(), 1) returning key
         ), branch as (
           insert into conversations.branch (key, conversation_key, name) select 1, key, 'MAIN' from conversation
         )
         insert into conversations.item (conversation_key, type, role, status, details, content)
         select key, 'message', 'user', 'completed', '{}',
           json_build_array(json_build_object('type', 'input_text', 'text', repeat('word ', 180000)))
         from conversation, generate_series(1, 50)`,
      )
      const first = await indexChanges(database)
      expect(first).toBeGreaterThan(0)
      expect(first).toBeLessThan(50)
      await opened.pool.query('update conversations.search_pending set claimed_until = null')
      expect(await indexChanges(database)).toBe(50 - first)
      const { rows } = await opened.pool.query('select 1 from conversations.search_entry')
      expect(rows).toHaveLength(50)
    } finally {
      await opened.close()
      await empty.drop()
    }
  })
})

describe('what was stored before there was an index', () => {
  it('is indexed in the background', async () => {
    const actor = someActor()
    const id = await conversation(actor, 'Quagga', 'Thylacine')
    await search(actor, 'quagga')
    const { pool } = test.services.database
    await pool.query('truncate conversations.search_entry')
    expect(await idsFound(actor, 'quagga')).toEqual([])
    await pool.query(
      `insert into conversations.search_backfill select 'titles', max(key) from conversations.conversation
       union all select 'messages', max(key) from conversations.item`,
    )
    for (;;) {
      const { rows } = await pool.query('select 1 from conversations.search_backfill')
      if (rows.length === 0) break
    }
    expect(await idsFound(actor, 'quagga')).toEqual([id])
    expect(await idsFound(actor, 'thylacine')).toEqual([id])
  })
})
