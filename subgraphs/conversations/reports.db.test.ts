import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { newId } from '../../platform/ids.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { toolCalls } from './sources/tool-calls.ts'
import { connection } from './sources/transaction.ts'

let test: TestGraph
const owner = someActor()
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

async function run<Result>(text: string, variables: object, actor = owner): Promise<Result> {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as Result
}

const create = async (input: object = {}, actor = owner) =>
  (
    await run<{ createConversation: { id: string } }>(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
      { input },
      actor,
    )
  ).createConversation.id

interface Item {
  id: string
  status: string
  content: object[]
  name: string | null
  arguments: string | null
  output: unknown
  error: unknown
  completedAt: string | null
  rating: string | null
  ratedAt: string | null
  ratingComment: string | null
}
const fields =
  '{ id status content name arguments output error serverLabel completedAt rating ratedAt ratingComment }'

const call = (callId: string, status = 'in_progress') => ({
  type: 'mcp_call',
  status,
  callId,
  name: 'look',
  arguments: '{}',
  serverLabel: 'Jan MCP Server',
})

const itemsOf = async (id: string) =>
  (
    await run<{ conversation: { items: { nodes: Item[] } } }>(
      `query ($id: ID!) { conversation(id: $id) { items(order: ASC) { nodes ${fields} } } }`,
      { id },
    )
  ).conversation.items.nodes

const toolCall = async (id: string, callId: string) =>
  (
    await run<{ conversation: { toolCall: Item | null } }>(
      `query ($id: ID!, $callId: String!) { conversation(id: $id) { toolCall(callId: $callId) ${fields} } }`,
      { id, callId },
    )
  ).conversation.toolCall

const report = async (conversationId: string, callId: string, input: object, actor = owner) =>
  (
    await run<{ reportToolCall: Item }>(
      `mutation ($input: ReportToolCallInput!) { reportToolCall(input: $input) ${fields} }`,
      { input: { conversationId, callId, status: 'COMPLETED', ...input } },
      actor,
    )
  ).reportToolCall

describe('a tool call', () => {
  it('ends with what is reported of it, once', async () => {
    const id = await create({ items: [call('call_1')] })
    const done = await report(id, 'call_1', { output: 'seen', name: 'gaze' })
    expect(done).toMatchObject({
      status: 'COMPLETED',
      name: 'gaze',
      arguments: '{}',
      output: 'seen',
      error: null,
      completedAt: expect.any(String),
      content: [{ type: 'mcp_call', tool_call_id: 'call_1', mcp_call: 'seen', text: 'seen' }],
    })
    expect(await report(id, 'call_1', { output: 'seen', name: 'gaze' })).toEqual(done)
    expect(await toolCall(id, 'call_1')).toEqual(done)
    // a report that says something else stands in its place
    expect(await report(id, 'call_1', { status: 'FAILED', error: { code: 7 } })).toMatchObject({
      status: 'FAILED',
      error: { code: 7 },
    })
  })

  it('may give back more than a text, or fail, or be given up', async () => {
    const id = await create({ items: [call('a'), call('b'), call('c')] })
    expect(await report(id, 'a', { output: { rows: [1, 2] } })).toMatchObject({
      output: { rows: [1, 2] },
      content: [{ type: 'mcp_call', mcp_call: { rows: [1, 2] } }],
    })
    expect(await report(id, 'b', { status: 'FAILED', error: 'no' })).toMatchObject({
      error: 'no',
      content: [],
    })
    expect(await report(id, 'c', { status: 'CANCELLED' })).toMatchObject({
      status: 'CANCELLED',
      completedAt: expect.any(String),
    })
  })

  it('is the newest that is open, where several have one id; a report that is sent again changes no other', async () => {
    const id = await create({ items: [call('call_0'), call('call_0'), call('call_0', 'completed')] })
    const items = await itemsOf(id)
    expect((await toolCall(id, 'call_0'))?.id).toBe(items[1]?.id)
    expect((await report(id, 'call_0', { output: 'x' })).id).toBe(items[1]?.id)
    expect((await report(id, 'call_0', { output: 'y' })).id).toBe(items[0]?.id)
    expect((await toolCall(id, 'call_0'))?.id).toBe(items[2]?.id)
    const other = await create({ items: [call('call_0'), call('call_0')] })
    const [first, second] = await itemsOf(other)
    for (let times = 0; times < 2; times += 1)
      expect((await report(other, 'call_0', { output: 'x' })).id).toBe(second?.id)
    expect((await toolCall(other, 'call_0'))?.id).toBe(first?.id)
  })

  it('is found without reading all that ever had its id', async () => {
    const id = await create({ items: Array.from({ length: 10 }, () => call('call_0')) })
    const database = await test.services.database.attach({
      name: 'conversations',
      entities: [],
      migrations: [],
    })
    const { rows } = await test.services.database.pool.query<{ conversationKey: string; branchKey: string }>(
      `select key as "conversationKey", active_branch_key as "branchKey" from conversations.conversation where public_id = $1`,
      [id],
    )
    const items = await itemsOf(id)
    const read = () => toolCalls(connection(database), rows[0]!, 'call_0')
    expect((await read()).map(({ publicId }) => publicId)).toEqual([items[9]?.id])
    await report(id, 'call_0', { output: 'x' })
    expect((await read()).map(({ publicId }) => publicId)).toEqual([items[9]?.id, items[8]?.id])
  })

  it('takes reports on a branch that is not active, and on one that was left behind meanwhile', async () => {
    const id = await create({ items: [{ role: 'user', content: 'look' }, call('call_1')] })
    await run('mutation ($input: CreateBranchInput!) { createBranch(input: $input) { name } }', {
      input: { conversationId: id, name: 'other' },
    })
    await run('mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id } } }', {
      input: { conversationId: id, branch: 'other', items: [call('call_2'), call('call_1', 'failed')] },
    })
    const [question, open] = await itemsOf(id)
    expect(await report(id, 'call_2', { output: 'elsewhere' })).toMatchObject({ output: 'elsewhere' })
    expect(await toolCall(id, 'call_2')).toMatchObject({ status: 'COMPLETED', output: 'elsewhere' })
    expect((await toolCall(id, 'call_1'))?.id).toBe(open?.id)
    await run('mutation ($input: EditItemInput!) { editItem(input: $input) { oldMainBackup } }', {
      input: { conversationId: id, itemId: question?.id, content: 'look again' },
    })
    expect(await itemsOf(id)).toHaveLength(1)
    expect(await report(id, 'call_1', { output: 'late' })).toMatchObject({
      status: 'COMPLETED',
      output: 'late',
    })
  })

  it('is told to the next completion', async () => {
    const id = await create({ items: [{ role: 'user', content: 'look' }, call('call_1')] })
    await report(id, 'call_1', { output: 'seen' })
    const { turnContext } = await test.graph.trusted.execute<{ turnContext: { messages: object[] } }, object>(
      parse('query ($input: TurnContextInput!) { turnContext(input: $input) { messages } }') as never,
      { input: { conversationId: id } },
      test.contextFor(owner),
    )
    expect(turnContext.messages.at(-1)).toEqual({ role: 'tool', tool_call_id: 'call_1', content: 'seen' })
  })

  it('is refused where it is not there, or too long', async () => {
    const id = await create({ items: [call('call_1')] })
    const refusals: [() => Promise<unknown>, object][] = [
      [() => report(id, 'call_2', {}), { code: 'item_not_found' }],
      [() => report(id, 'nul\u0000', {}), { code: 'item_not_found' }],
      [() => report(newId('conversation'), 'call_1', {}), { code: 'conversation_not_found' }],
      [() => report(id, 'call_1', {}, someActor()), { code: 'conversation_not_found' }],
      [() => report(id, 'call_1', { output: 'x'.repeat(100_001) }), { code: 'input_too_large' }],
      [
        () => report(id, 'call_1', { arguments: 'x'.repeat(100_001) }),
        { code: 'input_too_large', param: 'arguments' },
      ],
      [() => report(id, 'call_1', { name: 'a\nb' }), { code: 'invalid_parameter', param: 'name' }],
    ]
    for (const [attempt, extensions] of refusals)
      await expect(attempt()).rejects.toMatchObject({ extensions })
    expect(await toolCall(id, 'call_1')).toMatchObject({ status: 'IN_PROGRESS' })
  })
})

describe('a rating', () => {
  const rate = async (conversationId: string, itemId: string | undefined, input: object, actor = owner) =>
    (
      await run<{ rateItem: Item }>(
        `mutation ($input: RateItemInput!) { rateItem(input: $input) ${fields} }`,
        {
          input: { conversationId, itemId, rating: 'LIKE', ...input },
        },
        actor,
      )
    ).rateItem

  it('stands on the content, on every branch; a new one replaces it, and it can be taken back', async () => {
    const id = await create({
      items: [
        { role: 'assistant', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    })
    const [item, other] = await itemsOf(id)
    expect(await rate(id, item?.id, { comment: 'Good' })).toMatchObject({
      rating: 'LIKE',
      ratedAt: expect.any(String),
      ratingComment: 'Good',
    })
    expect(await rate(id, item?.id, { rating: 'UNLIKE' })).toMatchObject({
      rating: 'UNLIKE',
      ratingComment: null,
    })
    await run('mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id } }', {
      input: { conversationId: id, itemId: other?.id },
    })
    expect(await itemsOf(id)).toMatchObject([{ rating: 'UNLIKE' }])
    const { unrateItem } = await run<{ unrateItem: Item }>(
      `mutation ($input: UnrateItemInput!) { unrateItem(input: $input) ${fields} }`,
      { input: { conversationId: id, itemId: item?.id } },
    )
    expect(unrateItem).toMatchObject({ id: item?.id, rating: null, ratedAt: null, ratingComment: null })
    expect(await itemsOf(id)).toMatchObject([{ rating: null }])
  })

  it('is refused where the item is not there, and with too long a note', async () => {
    const id = await create({ items: [{ role: 'assistant', content: 'a' }] })
    const [item] = await itemsOf(id)
    const other = await create()
    const refusals: [() => Promise<unknown>, object][] = [
      [() => rate(id, newId('item'), {}), { code: 'item_not_found' }],
      [() => rate(other, item?.id, {}), { code: 'item_not_found' }],
      [() => rate(id, item?.id, {}, someActor()), { code: 'conversation_not_found' }],
      [
        () => rate(id, item?.id, { comment: 'x'.repeat(2001) }),
        { code: 'invalid_parameter', param: 'comment' },
      ],
    ]
    for (const [attempt, extensions] of refusals)
      await expect(attempt()).rejects.toMatchObject({ extensions })
  })
})

describe('deleting several conversations', () => {
  const remove = async (ids: readonly string[]) =>
    (
      await run<{ bulkDeleteConversations: { count: number; failedIds: string[] } }>(
        'mutation ($ids: [ID!]!) { bulkDeleteConversations(ids: $ids) { count failedIds } }',
        { ids },
      )
    ).bulkDeleteConversations

  it('tells those that are not there and another’s alike, and takes as many statements for one as for many', async () => {
    const mine = await Promise.all(Array.from({ length: 5 }, () => create()))
    const foreign = await create({}, someActor())
    const unknown = newId('conversation')
    const given = [...mine.slice(1), foreign, unknown, 'nonsense', 'nul\u0000', mine[1] as string]
    await remove([mine[0] as string])
    test.takeStatements()
    await remove([unknown])
    const one = test.takeStatements().filter((sql) => !sql.includes('expired')).length
    expect(await remove(given)).toEqual({ count: 4, failedIds: [foreign, unknown, 'nonsense', 'nul\u0000'] })
    expect(test.takeStatements().filter((sql) => !sql.includes('expired'))).toHaveLength(one)
    expect(await remove(mine)).toEqual({ count: 0, failedIds: mine })
  })

  it('takes 1 to 100', async () => {
    await expect(remove([])).rejects.toMatchObject({
      extensions: { code: 'invalid_parameter', param: 'conversation_ids' },
    })
    await expect(remove(Array.from({ length: 101 }, () => newId('conversation')))).rejects.toMatchObject({
      extensions: { code: 'max_items_exceeded', param: 'conversation_ids' },
    })
  })
})

describe('a list of conversations', () => {
  it('holds those that were put away, those that were not, or all', async () => {
    const actor = someActor()
    const { createProject } = await run<{ createProject: { id: string } }>(
      'mutation { createProject(input: { name: "P" }) { id } }',
      {},
      actor,
    )
    const projectId = createProject.id
    const kept = await create({ projectId }, actor)
    const put = await create({ projectId }, actor)
    await run(
      'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id } }',
      { input: { id: put, isArchived: true } },
      actor,
    )
    const list = async (args: string) => {
      const { conversations } = await run<{
        conversations: { nodes: { id: string }[]; totalCount: number }
      }>(`{ conversations${args} { nodes { id } totalCount } }`, {}, actor)
      return [conversations.nodes.map(({ id }) => id), conversations.totalCount]
    }
    expect(await list('')).toEqual([[put, kept], 2])
    expect(await list('(archived: true)')).toEqual([[put], 1])
    expect(await list('(archived: false)')).toEqual([[kept], 1])
    expect(await list(`(archived: true, projectId: "${projectId}")`)).toEqual([[put], 1])
    expect(await list(`(archived: false, projectId: "${projectId}")`)).toEqual([[kept], 1])
    expect(await list(`(archived: false, after: "${put}")`)).toEqual([[kept], 1])
  })
})
