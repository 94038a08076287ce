import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

const run = async (text: string, variables = {}, actor = someActor()) =>
  test.graph.clients.execute({ document: parse(text), variables, context: test.contextFor(actor) })

const message = (content: unknown, role = 'user') => ({ role, content })

/** A conversation with a message for each text. */
const conversationOf = async (actor: ReturnType<typeof someActor>, ...texts: string[]) => {
  const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }'
  const { data, errors } = await run(create, { input: { items: texts.map((text) => message(text)) } }, actor)
  expect(errors).toBeUndefined()
  return (data!.createConversation as { id: string }).id
}

const add = async (
  conversationId: string,
  items: object[],
  actor: ReturnType<typeof someActor>,
  branch?: string,
) =>
  run(
    'mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id type role status content text sequenceNumber branch callId name arguments output serverLabel details } conversation { itemCount } } }',
    { input: { conversationId, items, branch } },
    actor,
  )

interface Page {
  nodes: { id: string; text: string; branch: string; sequenceNumber: number }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
  totalCount: number
}

const list = async (id: string, args: string, actor: ReturnType<typeof someActor>) => {
  const { data, errors } = await run(
    `query ($id: ID!) { conversation(id: $id) { items(${args}) {
      nodes { id text branch sequenceNumber } pageInfo { hasNextPage endCursor } totalCount } } }`,
    { id },
    actor,
  )
  return {
    page: (data?.conversation as { items: Page } | undefined)?.items as Page,
    error: errors?.[0]?.extensions,
  }
}

const remove = (conversationId: string, itemId: string, actor: ReturnType<typeof someActor>) =>
  run(
    'mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id branch oldMainBackup } }',
    { input: { conversationId, itemId } },
    actor,
  )

const textsOf = ({ nodes }: Page) => nodes.map(({ text }) => text)

describe('items', () => {
  it('emits the key that is named as the type, and text, whichever was sent', async () => {
    const owner = someActor()
    const id = await conversationOf(owner)
    const { data } = await add(
      id,
      [
        message('plain'),
        message([{ type: 'input_text', input_text: 'named' }]),
        message(
          [{ type: 'output_text', output_text: { text: 'nested', annotations: [{ type: 'url_citation' }] } }],
          'assistant',
        ),
        message([
          { type: 'text', text: 'as it is' },
          { type: 'image', image: { url: 'jan_1' } },
        ]),
      ],
      owner,
    )
    expect((data!.addItems as { items: { content: unknown }[] }).items.map(({ content }) => content)).toEqual(
      [
        [{ type: 'input_text', text: 'plain', input_text: 'plain' }],
        [{ type: 'input_text', text: 'named', input_text: 'named' }],
        [
          {
            type: 'output_text',
            text: 'nested',
            annotations: [{ type: 'url_citation' }],
            logprobs: [],
            output_text: { text: 'nested', annotations: [{ type: 'url_citation' }] },
          },
        ],
        [
          { type: 'text', text: 'as it is' },
          { type: 'image', image: { url: 'jan_1' }, image_url: 'jan_1', file_id: null, detail: 'auto' },
        ],
      ],
    )
  })

  it('are read page by page without repetition or gap while others add and fork', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'first')
    const adding = Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        at % 8 === 7
          ? run(
              'mutation ($input: CreateBranchInput!) { createBranch(input: $input) { name } }',
              { input: { conversationId: id, name: `fork ${at}` } },
              owner,
            )
          : add(id, [message(`item ${at}`)], owner),
      ),
    )
    const seen: number[] = []
    let after = ''
    const readOn = async () => {
      const { page } = await list(id, `first: 3, order: ASC${after}`, owner)
      seen.push(...page.nodes.map(({ sequenceNumber }) => sequenceNumber))
      if (page.pageInfo.endCursor !== null) after = `, after: "${page.pageInfo.endCursor}"`
      return page.nodes.length
    }
    for (let pages = 0; pages < 10; pages += 1) await readOn()
    await adding
    while ((await readOn()) > 0);
    expect(seen).toEqual(Array.from({ length: 36 }, (_, at) => at + 1))
  })

  it('keeps U+0000, lone surrogates and the order of keys in content', async () => {
    const owner = someActor()
    const id = await conversationOf(owner)
    const odd = { type: 'custom', z: 'nul \u0000 here', a: 'half \ud83d pair', n: 1.5 }
    await add(id, [message([odd])], owner)
    const { data } = await run(
      'query ($id: ID!) { conversation(id: $id) { items { nodes { content } } } }',
      { id },
      owner,
    )
    const [stored] = (data!.conversation as { items: { nodes: { content: object[] }[] } }).items.nodes
    expect(stored!.content).toEqual([odd])
    expect(Object.keys(stored!.content[0]!)).toEqual(Object.keys(odd))
  })

  it('keeps what belongs to the type', async () => {
    const owner = someActor()
    const id = await conversationOf(owner)
    const call = {
      type: 'mcp_call',
      status: 'in_progress',
      callId: 'call_1',
      name: 'search',
      arguments: '{"q":1}',
      serverLabel: 'web',
      details: { approve: true, id: 'forged' },
    }
    const { data } = await add(id, [call], owner)
    expect(data!.addItems).toMatchObject({
      items: [
        {
          type: 'mcp_call',
          role: null,
          status: 'IN_PROGRESS',
          callId: 'call_1',
          name: 'search',
          arguments: '{"q":1}',
          serverLabel: 'web',
          details: { approve: true },
        },
      ],
    })
    expect((data!.addItems as { items: { details: object }[] }).items[0]!.details).toEqual({ approve: true })
  })

  it('pages in both directions while items are appended, and clamps the page size', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a', 'b', 'c', 'd', 'e')
    const newest = await list(id, 'first: 2', owner)
    expect(textsOf(newest.page)).toEqual(['e', 'd'])
    expect(newest.page).toMatchObject({ totalCount: 5, pageInfo: { hasNextPage: true } })
    await add(id, [message('f')], owner)
    expect(
      textsOf((await list(id, `first: 2, after: "${newest.page.pageInfo.endCursor}"`, owner)).page),
    ).toEqual(['c', 'b'])
    expect(textsOf((await list(id, 'order: ASC, first: 0', owner)).page)).toEqual(['a'])
    expect(textsOf((await list(id, 'order: ASC, first: 9999, offset: 4', owner)).page)).toEqual(['e', 'f'])
  })

  it('pages no more at once than a request may carry, and tells that there is more', async () => {
    const owner = someActor()
    const id = await conversationOf(owner)
    const outputs = ['a', 'b', 'c', 'd'].map((callId) => ({
      type: 'function_call_output',
      callId,
      output: 'x',
    }))
    expect((await add(id, outputs, owner)).errors).toBeUndefined()
    await test.services.database.pool.query(
      `update conversations.item set details = json_build_object('output', repeat('x', 12000000))
       where conversation_key = (select key from conversations.conversation where public_id = $1)`,
      [id],
    )
    const numbers = ({ nodes }: Page) => nodes.map(({ sequenceNumber }) => sequenceNumber)
    const { page } = await list(id, 'order: ASC', owner)
    expect(page).toMatchObject({ pageInfo: { hasNextPage: true }, totalCount: 4 })
    expect(numbers(page)).toEqual([1, 2, 3])
    const rest = await list(id, `order: ASC, after: "${page.pageInfo.endCursor}"`, owner)
    expect(rest.page.pageInfo.hasNextPage).toBe(false)
    expect(numbers(rest.page)).toEqual([4])
    expect(numbers((await list(id, 'first: 3', owner)).page)).toEqual([4, 3, 2])
    // by offset nothing is passed over: a page is whole, or it is refused
    for (const order of ['ASC', 'DESC'])
      expect((await list(id, `order: ${order}, first: 4, offset: 0`, owner)).error).toMatchObject({
        code: 'invalid_parameter',
        param: 'limit',
      })
    const byOffset = async (offset: number) =>
      (await list(id, `order: ASC, first: 3, offset: ${offset}`, owner)).page
    const first = await byOffset(0)
    expect(first.pageInfo.hasNextPage).toBe(true)
    expect([...numbers(first), ...numbers(await byOffset(3))]).toEqual([1, 2, 3, 4])
  })

  it('refuses a cursor that is no item of the conversation', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a')
    const other = await conversationOf(owner, 'b')
    const foreign = (await list(other, 'first: 1', owner)).page.nodes[0]!.id
    expect((await list(id, `after: "${foreign}"`, owner)).error).toMatchObject({
      code: 'invalid_cursor',
      param: 'after',
    })
  })

  it('deletes by building a branch without the item: new ids, shared content, the former main branch kept', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a', 'b', 'c')
    const before = (await list(id, 'order: ASC', owner)).page.nodes
    const deleted = await remove(id, before[1]!.id, owner)
    expect(deleted.errors).toBeUndefined()
    const { oldMainBackup } = deleted.data!.deleteItem as { oldMainBackup: string }
    expect(deleted.data!.deleteItem).toMatchObject({ id: before[1]!.id, branch: 'MAIN' })
    expect(oldMainBackup).toMatch(/^MAIN_\d{14}$/)

    const after = (await list(id, 'order: ASC', owner)).page
    expect(after).toMatchObject({
      totalCount: 2,
      nodes: [
        { text: 'a', sequenceNumber: 1, branch: 'MAIN' },
        { text: 'c', sequenceNumber: 2 },
      ],
    })
    expect(after.nodes.map((node) => node.id)).not.toContain(before[2]!.id)
    expect(textsOf((await list(id, `order: ASC, branch: "${oldMainBackup}"`, owner)).page)).toEqual([
      'a',
      'b',
      'c',
    ])
    expect(textsOf((await list(id, 'order: ASC, branch: "main"', owner)).page)).toEqual(['a', 'c'])

    const read = 'query ($id: ID!, $item: ID!) { conversation(id: $id) { item(id: $item) { text branch } } }'
    expect((await run(read, { id, item: before[2]!.id }, owner)).data).toEqual({
      conversation: { item: { text: 'c', branch: oldMainBackup } },
    })
    expect((await run(read, { id, item: before[1]!.id }, owner)).data).toEqual({
      conversation: { item: null },
    })
    expect((await remove(id, before[1]!.id, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'item_not_found',
    })
  })

  it('reads a list on from ids of the former branch, deleted ones included', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a', 'b', 'c', 'd')
    const [, b, c] = (await list(id, 'order: ASC', owner)).page.nodes
    await remove(id, b!.id, owner)
    expect(textsOf((await list(id, `order: ASC, after: "${b!.id}"`, owner)).page)).toEqual(['c', 'd'])
    expect(textsOf((await list(id, `order: DESC, after: "${b!.id}"`, owner)).page)).toEqual(['a'])
    expect(textsOf((await list(id, `order: ASC, after: "${c!.id}"`, owner)).page)).toEqual(['d'])
    expect(textsOf((await list(id, `order: DESC, after: "${c!.id}"`, owner)).page)).toEqual(['a'])
  })

  it('gives backups of one second different names, and takes ids of any branch', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a', 'b', 'c', 'd', 'e', 'f')
    const original = (await list(id, 'order: ASC', owner)).page.nodes
    const backups = await Promise.all(
      original
        .slice(0, 5)
        .map(
          async (item) => (await remove(id, item.id, owner)).data!.deleteItem as { oldMainBackup: string },
        ),
    )
    expect(new Set(backups.map(({ oldMainBackup }) => oldMainBackup)).size).toBe(5)
    expect(textsOf((await list(id, 'order: ASC', owner)).page)).toEqual(['f'])
  })

  it('answers not_found for a branch that is not there', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a')
    expect((await list(id, 'branch: "nowhere"', owner)).error).toMatchObject({
      code: 'not_found',
      param: 'branch',
    })
    expect((await add(id, [message('x')], owner, 'nowhere')).errors?.[0]?.extensions).toMatchObject({
      code: 'not_found',
      param: 'branch',
    })
  })

  it('takes ids, cursors and names that no row can have for what is not there', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a')
    const odd = 'nul\u0000'
    const item = 'query ($id: ID!, $item: ID!) { conversation(id: $id) { item(id: $item) { id } } }'
    expect((await run(item, { id, item: odd }, owner)).data).toEqual({ conversation: { item: null } })
    expect((await run(item, { id: odd, item: odd }, owner)).data).toEqual({ conversation: null })
    expect((await remove(id, odd, owner)).errors?.[0]?.extensions).toMatchObject({ code: 'item_not_found' })
    expect((await remove(odd, odd, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'conversation_not_found',
    })
    const page = `query ($id: ID!, $after: String, $branch: String) {
      conversation(id: $id) { items(after: $after, branch: $branch) { totalCount } } }`
    expect((await run(page, { id, after: odd }, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_cursor',
    })
    expect((await run(page, { id, branch: odd }, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'not_found',
    })
    expect((await add(id, [message('x')], owner, odd)).errors?.[0]?.extensions).toMatchObject({
      code: 'not_found',
    })
    const list = 'query ($after: String) { conversations(after: $after) { totalCount } }'
    expect((await run(list, { after: odd }, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_cursor',
    })
    const erase = await run('mutation ($id: ID!) { deleteConversation(id: $id) { id } }', { id: odd }, owner)
    expect(erase.errors?.[0]?.extensions).toMatchObject({ code: 'conversation_not_found' })
  })

  it('shows and changes nothing of another’s', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'secret')
    const [item] = (await list(id, 'first: 1', owner)).page.nodes
    expect((await add(id, [message('x')], someActor())).errors?.[0]?.extensions).toMatchObject({
      code: 'conversation_not_found',
    })
    expect((await remove(id, item!.id, someActor())).errors?.[0]?.extensions).toMatchObject({
      code: 'conversation_not_found',
    })
    const mine = someActor()
    const own = await conversationOf(mine, 'x')
    const read = 'query ($id: ID!, $item: ID!) { conversation(id: $id) { item(id: $item) { text } } }'
    expect((await run(read, { id: own, item: item!.id }, mine)).data).toEqual({
      conversation: { item: null },
    })
    expect((await remove(own, item!.id, mine)).errors?.[0]?.extensions).toMatchObject({
      code: 'item_not_found',
    })
  })

  it('refuses an empty write, one of over 20 items, and what would exceed 10,000 items, whole', async () => {
    const owner = someActor()
    const id = await conversationOf(owner, 'a')
    expect((await add(id, [], owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_parameter',
      param: 'items',
    })
    const many = Array.from({ length: 21 }, () => message('x'))
    expect((await add(id, many, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'max_items_exceeded',
      param: 'items',
    })

    await test.services.database.pool.query(
      `update conversations.branch set item_count = 9999 where conversation_key = (select key from conversations.conversation where public_id = $1)`,
      [id],
    )
    expect((await add(id, [message('x'), message('y')], owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'conversation_full',
    })
    const last = await add(id, [message('x')], owner)
    expect(last.data).toMatchObject({
      addItems: { items: [{ sequenceNumber: 10_000 }], conversation: { itemCount: 10_000 } },
    })
  })
})
