import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { newId } from '../../platform/ids.ts'
import { branchRows, faultsOf } from '../../platform/testing/branch-tree.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
const owner = someActor()
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

const run = async (text: string, variables: object, actor = owner, graph = test.graph.clients) => {
  const { data, errors } = await graph.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  return { data: data as Record<string, unknown>, error: errors?.[0]?.extensions }
}

const conversationOf = async (...texts: string[]): Promise<string> => {
  const { data } = await run(
    'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
    { input: { items: texts.map((content) => ({ role: 'user', content })) } },
  )
  return (data.createConversation as { id: string }).id
}

const branchFields =
  '{ name description parentBranch forkedAt forkedFromItemId itemCount isActive createdAt updatedAt }'

interface Branch {
  name: string
  parentBranch: string | null
  itemCount: number
  isActive: boolean
}

const fork = (conversationId: string, input: object, actor = owner) =>
  run(
    `mutation ($input: CreateBranchInput!) { createBranch(input: $input) ${branchFields} }`,
    { input: { conversationId, ...input } },
    actor,
  )
const remove = (conversationId: string, name: string, actor = owner) =>
  run(
    'mutation ($input: BranchInput!) { deleteBranch(input: $input) { name } }',
    { input: { conversationId, name } },
    actor,
  )
const activate = (conversationId: string, name: string, actor = owner) =>
  run(
    'mutation ($input: BranchInput!) { activateBranch(input: $input) { activeBranch itemCount } }',
    { input: { conversationId, name } },
    actor,
  )

const branchesOf = async (id: string): Promise<Branch[]> => {
  const { data } = await run(`query ($id: ID!) { conversation(id: $id) { branches ${branchFields} } }`, {
    id,
  })
  return (data.conversation as { branches: Branch[] }).branches
}

interface Item {
  id: string
  text: string
}
const itemsOf = async (id: string, branch?: string): Promise<Item[]> => {
  const { data } = await run(
    'query ($id: ID!, $branch: String) { conversation(id: $id) { items(order: ASC, branch: $branch) { nodes { id text } } } }',
    { id, branch },
  )
  return (data.conversation as { items: { nodes: Item[] } }).items.nodes
}
const textsOf = async (id: string, branch?: string) => (await itemsOf(id, branch)).map(({ text }) => text)

const add = (conversationId: string, branch: string, text: string) =>
  run('mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id } } }', {
    input: { conversationId, branch, items: [{ role: 'user', content: text }] },
  })

interface Page {
  edges: { cursor: string; node: { name: string } }[]
  pageInfo: { hasNextPage: boolean }
}

/** So many branches more, without items. */
const manyBranches = (id: string, count: number) =>
  test.services.database.pool.query(
    `insert into conversations.branch (conversation_key, name)
     select c.key, 'branch ' || n from conversations.conversation c, generate_series(1, $2) n where c.public_id = $1`,
    [id, count],
  )

const countItems = async (id: string): Promise<number> => {
  const { rows } = await test.services.database.pool.query(
    'select count(*)::integer as count from conversations.item i join conversations.conversation c on c.key = i.conversation_key where c.public_id = $1',
    [id],
  )
  return rows[0].count
}

describe('branches', () => {
  it('are MAIN alone at first, which is active', async () => {
    const id = await conversationOf('a')
    expect(await branchesOf(id)).toEqual([
      {
        name: 'MAIN',
        description: null,
        parentBranch: null,
        forkedAt: null,
        forkedFromItemId: null,
        itemCount: 1,
        isActive: true,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    ])
  })

  it('are forked whole, with ids of their own, and grow apart', async () => {
    const id = await conversationOf('a', 'b')
    const { data } = await fork(id, { name: ' try ', description: 'Another way' })
    expect(data.createBranch).toMatchObject({
      name: 'try',
      description: 'Another way',
      parentBranch: 'MAIN',
      forkedAt: expect.any(String),
      forkedFromItemId: null,
      itemCount: 2,
      isActive: false,
    })
    await add(id, 'try', 'here')
    await add(id, 'MAIN', 'there')
    expect(await textsOf(id, 'try')).toEqual(['a', 'b', 'here'])
    expect(await textsOf(id)).toEqual(['a', 'b', 'there'])
    const [here, there] = [await itemsOf(id, 'try'), await itemsOf(id)]
    expect(new Set([...here, ...there].map((item) => item.id)).size).toBe(6)
    for (const { id: itemId } of here) expect(itemId).toMatch(/^msg_[0-9a-z]{24}$/)
    expect((await branchesOf(id)).map(({ name }) => name)).toEqual(['MAIN', 'try'])
  })

  it('are forked up to and including an item, by an id of any branch', async () => {
    const id = await conversationOf('a', 'b', 'c')
    const [, second] = await itemsOf(id)
    const first = await fork(id, { name: 'one', forkFromItemId: second?.id })
    expect(first.data.createBranch).toMatchObject({ itemCount: 2, forkedFromItemId: second?.id })
    expect(await textsOf(id, 'one')).toEqual(['a', 'b'])
    const [, copied] = await itemsOf(id, 'one')
    await fork(id, { name: 'two', parentBranch: 'main', forkFromItemId: copied?.id })
    expect(await textsOf(id, 'two')).toEqual(['a', 'b'])
    expect(await branchesOf(id)).toMatchObject([
      { name: 'MAIN' },
      { name: 'two', parentBranch: 'MAIN' },
      { name: 'one', parentBranch: 'MAIN' },
    ])
  })

  it('are forked from the active one unless told otherwise', async () => {
    const id = await conversationOf('a')
    await fork(id, { name: 'one' })
    await add(id, 'one', 'b')
    expect((await activate(id, 'one')).data.activateBranch).toEqual({ activeBranch: 'one', itemCount: 2 })
    const { data } = await fork(id, { name: 'two' })
    expect(data.createBranch).toMatchObject({ parentBranch: 'one', itemCount: 2 })
    expect((await activate(id, 'main')).data.activateBranch).toEqual({ activeBranch: 'MAIN', itemCount: 1 })
  })

  it.each([
    [{ name: 'main' }, 'invalid_parameter', 'name'],
    [{ name: '  ' }, 'invalid_parameter', 'name'],
    [{ name: '..' }, 'invalid_parameter', 'name'],
    [{ name: 'x'.repeat(65) }, 'invalid_parameter', 'name'],
    [{ name: 'a\nb' }, 'invalid_parameter', 'name'],
    [{ name: 'nul\u0000' }, 'invalid_parameter', 'name'],
    [{ name: 'x', description: 'd'.repeat(1025) }, 'invalid_parameter', 'description'],
    [{ name: 'taken' }, 'already_exists', 'name'],
    [{ name: 'x', parentBranch: 'nowhere' }, 'not_found', 'parent_branch'],
    [{ name: 'x', parentBranch: 'nul\u0000' }, 'not_found', 'parent_branch'],
    [{ name: 'x', forkFromItemId: newId('item') }, 'item_not_found', 'fork_from_item_id'],
    [{ name: 'x', forkFromItemId: 'nonsense' }, 'item_not_found', 'fork_from_item_id'],
  ])('are not forked with %j', async (input, code, param) => {
    const id = await conversationOf('a')
    await fork(id, { name: 'taken' })
    expect((await fork(id, input)).error).toMatchObject({ code, param })
  })

  it('are not forked at an item that the parent does not have', async () => {
    const id = await conversationOf('a')
    await fork(id, { name: 'one' })
    await add(id, 'one', 'b')
    const own = (await itemsOf(id, 'one'))[1]
    const other = await itemsOf(await conversationOf('z'))
    for (const forkFromItemId of [own?.id, other[0]?.id])
      expect((await fork(id, { name: 'two', forkFromItemId })).error).toMatchObject({
        code: 'item_not_found',
      })
  })

  it('hold no more items when forked than the limit', async () => {
    const id = await conversationOf('a', 'b')
    const [first] = await itemsOf(id)
    await test.services.database.pool.query(
      `update conversations.branch b set item_count = 10001 from conversations.conversation c
       where c.key = b.conversation_key and c.public_id = $1`,
      [id],
    )
    expect((await fork(id, { name: 'all' })).error).toMatchObject({ code: 'conversation_full' })
    expect((await fork(id, { name: 'start', forkFromItemId: first?.id })).error).toBeUndefined()
  })

  it('are deleted with the items that stand in no other', async () => {
    const id = await conversationOf('a', 'b')
    await fork(id, { name: 'one' })
    await add(id, 'one', 'c')
    await fork(id, { name: 'two', parentBranch: 'one' })
    await add(id, 'one', 'd')
    expect(await countItems(id)).toBe(4)
    expect((await remove(id, 'one')).data.deleteBranch).toEqual({ name: 'one' })
    expect(await countItems(id)).toBe(3)
    expect(await textsOf(id, 'two')).toEqual(['a', 'b', 'c'])
    expect(await textsOf(id)).toEqual(['a', 'b'])
    expect(await branchesOf(id)).toMatchObject([{ name: 'MAIN' }, { name: 'two', parentBranch: null }])
    expect(faultsOf(await branchRows(test.services.database.pool, id))).toEqual([])
    expect((await remove(id, 'one')).error).toMatchObject({ code: 'not_found' })
  })

  it('are not deleted while they are MAIN or active', async () => {
    const id = await conversationOf('a')
    await fork(id, { name: 'one' })
    await activate(id, 'one')
    for (const name of ['MAIN', 'main', 'one'])
      expect((await remove(id, name)).error).toMatchObject({ code: 'invalid_parameter' })
    await activate(id, 'MAIN')
    expect((await remove(id, 'one')).error).toBeUndefined()
  })

  it('are not deleted while an answer is written on them; its turn goes with them afterwards', async () => {
    const id = await conversationOf('a')
    await fork(id, { name: 'one' })
    const completionId = newId('completion')
    const trusted = (text: string, input: object) =>
      test.graph.trusted.execute(parse(text) as never, { input }, test.contextFor(owner))
    await trusted('mutation ($input: BeginTurnInput!) { beginTurn(input: $input) { branch } }', {
      completionId,
      conversationId: id,
      branch: 'one',
      modelId: 'm',
      userMessage: { role: 'user', content: 'q' },
    })
    expect((await remove(id, 'one')).error).toMatchObject({ code: 'request_in_progress' })
    await trusted('mutation ($input: FinishTurnInput!) { finishTurn(input: $input) { branch } }', {
      completionId,
      status: 'COMPLETED',
      message: { role: 'assistant', content: 'w' },
    })
    expect((await remove(id, 'one')).error).toBeUndefined()
    const { rows } = await test.services.database.pool.query(
      'select from conversations.turn where completion_id = $1',
      [completionId],
    )
    expect(rows).toHaveLength(0)
    expect(await countItems(id)).toBe(1)
  })

  it('do not exist for anybody else', async () => {
    const id = await conversationOf('a')
    await fork(id, { name: 'one' })
    const stranger = someActor()
    for (const attempt of [
      fork(id, { name: 'two' }, stranger),
      remove(id, 'one', stranger),
      activate(id, 'one', stranger),
    ])
      expect((await attempt).error).toMatchObject({ code: 'conversation_not_found' })
    expect(await branchesOf(id)).toHaveLength(2)
  })

  it('are read by name, and those of many conversations at once', async () => {
    const ids = [await conversationOf('a'), await conversationOf('b')]
    for (const id of ids) await fork(id, { name: 'one' })
    const query = `query ($a: ID!, $b: ID!) {
      a: conversation(id: $a) { branches { name } branch(name: "one") { name } none: branch(name: "nowhere") { name } }
      b: conversation(id: $b) { branches { name } branch(name: "main") { name } none: branch(name: "nul\\u0000") { name } }
    }`
    const variables = { a: ids[0], b: ids[1] }
    await run(query, variables)
    test.takeStatements()
    const { data, error } = await run(query, variables)
    expect(error).toBeUndefined()
    expect(data).toEqual({
      a: { branches: [{ name: 'MAIN' }, { name: 'one' }], branch: { name: 'one' }, none: null },
      b: { branches: [{ name: 'MAIN' }, { name: 'one' }], branch: { name: 'MAIN' }, none: null },
    })
    expect(test.takeStatements().filter((sql) => !sql.includes('expired'))).toHaveLength(3)
  })

  it('come in pages, MAIN first, whose places are names', async () => {
    const id = await conversationOf('a')
    for (const name of ['one', 'two', 'three']) await fork(id, { name })
    const page = async (args: string) => {
      const { data, error } = await run(
        `query ($id: ID!) { conversation(id: $id) { branchPage(${args}) { edges { cursor node { name } } pageInfo { hasNextPage endCursor } } } }`,
        { id },
      )
      if (error) return error
      const { branchPage } = data.conversation as { branchPage: Page }
      for (const { cursor, node } of branchPage.edges) expect(cursor).toBe(node.name)
      return [branchPage.edges.map(({ cursor }) => cursor).join(' '), branchPage.pageInfo.hasNextPage]
    }
    expect(await page('first: 2')).toEqual(['MAIN three', true])
    expect(await page('first: 2, after: "three"')).toEqual(['two one', false])
    expect(await page('after: "main", first: 1')).toEqual(['three', true])
    expect(await page('order: ASC, first: 3')).toEqual(['one two three', true])
    expect(await page('order: ASC, first: 3, after: "three"')).toEqual(['MAIN', false])
    expect(await page('after: "one"')).toEqual(['', false])
    expect(await page('offset: 3, after: "nowhere"')).toEqual(['one', false])
    expect(await page('first: null')).toEqual(['MAIN three two one', false])
    for (const after of ['nowhere', 'nul\\u0000'])
      expect(await page(`after: "${after}"`)).toMatchObject({ code: 'invalid_cursor', param: 'after' })
    expect(await page('first: 0')).toMatchObject({ code: 'invalid_parameter', param: 'limit' })
  })

  it('are a hundred at the most in one piece', async () => {
    const id = await conversationOf()
    await manyBranches(id, 100)
    const branches = await branchesOf(id)
    expect(branches).toHaveLength(100)
    expect(branches[0]?.name).toBe('MAIN')
    const { data } = await run(
      'query ($id: ID!) { conversation(id: $id) { branchPage(first: 1000) { nodes { name } pageInfo { hasNextPage } } } }',
      { id },
    )
    expect((data.conversation as { branchPage: object }).branchPage).toEqual({
      nodes: branches.map(({ name }) => ({ name })),
      pageInfo: { hasNextPage: true },
    })
  })
})
