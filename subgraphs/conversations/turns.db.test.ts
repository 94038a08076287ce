import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { newId } from '../../platform/ids.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { Branch, Conversation } from './entities.ts'
import { turnSweeper } from './turn-sweeper.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

type SomeActor = ReturnType<typeof someActor>

/** Turn operations are for the platform alone: they run on the graph that has the inaccessible fields. */
const trusted = <Result>(text: string, input: object, actor: SomeActor): Promise<Result> =>
  test.graph.trusted.execute<Result, object>(parse(text) as never, { input }, test.contextFor(actor))

interface Turn {
  conversation: { id: string; title: string | null; itemCount: number; referrer: string | null }
  userItemId: string | null
  assistantItemId: string
  branch: string
}

const turnFields = '{ conversation { id title itemCount referrer } userItemId assistantItemId branch }'
const begin = async (input: object, actor: SomeActor) =>
  (
    await trusted<{ beginTurn: Turn }>(
      `mutation ($input: BeginTurnInput!) { beginTurn(input: $input) ${turnFields} }`,
      input,
      actor,
    )
  ).beginTurn
const finish = async (input: object, actor: SomeActor) =>
  (
    await trusted<{ finishTurn: Turn }>(
      `mutation ($input: FinishTurnInput!) { finishTurn(input: $input) ${turnFields} }`,
      input,
      actor,
    )
  ).finishTurn
const append = async (input: object, actor: SomeActor) =>
  (
    await trusted<{ appendTurn: Turn }>(
      `mutation ($input: AppendTurnInput!) { appendTurn(input: $input) ${turnFields} }`,
      input,
      actor,
    )
  ).appendTurn
const checkpoint = async (input: object, actor: SomeActor) =>
  (
    await trusted<{ checkpointTurn: boolean }>(
      'mutation ($input: CheckpointTurnInput!) { checkpointTurn(input: $input) }',
      input,
      actor,
    )
  ).checkpointTurn

interface Context {
  conversation: { id: string }
  branch: string
  messages: { role: string; content: unknown }[]
  lastUserMessage: { content: unknown } | null
}
const context = async (input: object, actor: SomeActor) =>
  (
    await trusted<{ turnContext: Context }>(
      'query ($input: TurnContextInput!) { turnContext(input: $input) { conversation { id } branch messages lastUserMessage } }',
      input,
      actor,
    )
  ).turnContext

interface Item {
  id: string
  type: string
  role: string | null
  status: string
  text: string
  modelId: string | null
  sequenceNumber: number
  callId: string | null
  name: string | null
  arguments: string | null
  serverLabel: string | null
  usage: unknown
  finishReason: string | null
  completedAt: string | null
  incompleteAt: string | null
  incompleteDetails: { reason: string } | null
  content: { type: string }[]
}
const itemsOf = async (id: string, actor: SomeActor) => {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(`query ($id: ID!) { conversation(id: $id) { items(first: 500, order: ASC) { nodes {
      id type role status text modelId sequenceNumber callId name arguments serverLabel usage finishReason completedAt incompleteAt
      incompleteDetails content } } } }`),
    variables: { id },
    context: test.contextFor(actor),
  })
  expect(errors).toBeUndefined()
  return (data!.conversation as { items: { nodes: Item[] } }).items.nodes
}

const completion = () => newId('completion')
const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: unknown, more: object = {}) => ({ role: 'assistant', content, ...more })
const call = (id: string) => ({ id, type: 'function', function: { name: 'search', arguments: '{"q":"x"}' } })

/** A turn of one question and its answer. */
const turn = (question: string, answer: string, more: object = {}) => ({
  completionId: completion(),
  modelId: 'jan-v1-4b',
  userMessage: user(question),
  status: 'COMPLETED',
  message: assistant(answer),
  finishReason: 'stop',
  usage: { total_tokens: 7 },
  ...more,
})

const expireLeases = () =>
  test.services.database.pool.query(
    `update conversations.turn set lease_expires_at = now() - interval '1 second' where lease_expires_at is not null`,
  )
const sweep = async () => {
  const database = await test.services.database.attach({
    name: 'conversations',
    entities: [Conversation, Branch],
    migrations: [],
  })
  const sweeper = turnSweeper(database, { tell: () => undefined }, test.services.log)
  await sweeper.start()
  await sweeper.stop()
}

describe('turns', () => {
  it('stores a whole turn in a conversation that it creates, and names it after the question', async () => {
    const owner = someActor()
    const stored = await append(
      turn('What grows at **night**? See https://example.org', 'Moonflowers.', { referrer: 'web' }),
      owner,
    )
    expect(stored.conversation).toMatchObject({
      title: 'What grows at night? See',
      itemCount: 2,
      referrer: 'web',
    })
    const items = await itemsOf(stored.conversation.id, owner)
    expect(items).toMatchObject([
      {
        id: stored.userItemId,
        type: 'message',
        role: 'USER',
        status: 'COMPLETED',
        text: 'What grows at **night**? See https://example.org',
        modelId: null,
      },
      {
        id: stored.assistantItemId,
        role: 'ASSISTANT',
        status: 'COMPLETED',
        text: 'Moonflowers.',
        modelId: 'jan-v1-4b',
        usage: { total_tokens: 7 },
        finishReason: 'stop',
        completedAt: expect.any(String),
        incompleteAt: null,
      },
    ])
  })

  it('keeps a title that was given, and replaces “New Conversation”', async () => {
    const owner = someActor()
    const create = async (title: string) => {
      const { data } = await test.graph.clients.execute({
        document: parse(
          'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
        ),
        variables: { input: { title } },
        context: test.contextFor(owner),
      })
      return (data!.createConversation as { id: string }).id
    }
    const given = await append(turn('Hello', 'Hi', { conversationId: await create('Mine') }), owner)
    expect(given.conversation.title).toBe('Mine')
    const untitled = await append(
      turn('Hello', 'Hi', { conversationId: await create('new conversation') }),
      owner,
    )
    expect(untitled.conversation.title).toBe('Hello')
    const named = await append(turn('Hello', 'Hi', { conversationId: await create('Newer') }), owner)
    expect(named.conversation.title).toBe('Newer')
    const loud = await create('NEW Conversation')
    const unreadable = await append(turn('?!', 'Hi', { conversationId: loud }), owner)
    expect(unreadable.conversation.title).toBe('NEW Conversation')
    expect((await append(turn('Now', 'Hi', { conversationId: loud }), owner)).conversation.title).toBe('Now')
  })

  it('keeps the order of 20 parallel turns: positions 1 to 40, each answer behind its question', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('first', 'first answer'), owner)
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        append(turn(`question ${at}`, `answer ${at}`, { conversationId: conversation.id }), owner),
      ),
    )
    const items = await itemsOf(conversation.id, owner)
    expect(items.map(({ sequenceNumber }) => sequenceNumber)).toEqual(
      Array.from({ length: 42 }, (_, at) => at + 1),
    )
    for (let at = 2; at < 42; at += 2)
      expect(items[at + 1]!.text).toBe(items[at]!.text.replace('question', 'answer'))
  })

  it('shows an answer in progress as its checkpoints come, and whole in the end', async () => {
    const owner = someActor()
    const completionId = completion()
    const begun = await begin({ completionId, modelId: 'm', userMessage: user('Hi') }, owner)
    const id = begun.conversation.id
    expect((await itemsOf(id, owner)).map(({ status }) => status)).toEqual(['COMPLETED', 'IN_PROGRESS'])
    expect(await checkpoint({ completionId, message: assistant('He') }, owner)).toBe(true)
    expect(await checkpoint({ completionId, message: null }, owner)).toBe(true)
    expect((await itemsOf(id, owner))[1]).toMatchObject({
      status: 'IN_PROGRESS',
      text: 'He',
      completedAt: null,
    })
    expect((await context({ conversationId: id }, owner)).messages).toEqual([{ role: 'user', content: 'Hi' }])

    const finished = await finish(
      { completionId, status: 'COMPLETED', message: assistant('Hello'), finishReason: 'stop' },
      owner,
    )
    expect(finished).toMatchObject({
      userItemId: begun.userItemId,
      assistantItemId: begun.assistantItemId,
      branch: 'MAIN',
    })
    expect(await itemsOf(id, owner)).toMatchObject([
      { text: 'Hi' },
      { text: 'Hello', status: 'COMPLETED', id: begun.assistantItemId },
    ])
    expect(await checkpoint({ completionId, message: assistant('late') }, owner)).toBe(false)
  })

  it('is idempotent by completion id, in every operation', async () => {
    const owner = someActor()
    const whole = turn('Hi', 'Hello', { message: assistant(null, { tool_calls: [call('call_1')] }) })
    const first = await append(whole, owner)
    expect(await append({ ...whole, message: assistant('other') }, owner)).toEqual(first)
    expect(await itemsOf(first.conversation.id, owner)).toHaveLength(3)

    const completionId = completion()
    const halves = {
      completionId,
      modelId: 'm',
      userMessage: user('Hi'),
      conversationId: first.conversation.id,
    }
    const begun = await Promise.all([begin(halves, owner), begin(halves, owner), begin(halves, owner)])
    expect(new Set(begun.map(({ assistantItemId }) => assistantItemId)).size).toBe(1)
    const end = {
      completionId,
      status: 'COMPLETED',
      message: assistant('Hello', { tool_calls: [call('call_2')] }),
    }
    await Promise.all([finish(end, owner), finish(end, owner)])
    await finish({ ...end, status: 'FAILED', message: assistant('') }, owner)
    expect(await itemsOf(first.conversation.id, owner)).toMatchObject([
      {},
      {},
      {},
      { text: 'Hi' },
      { text: 'Hello', status: 'COMPLETED' },
      { type: 'mcp_call', callId: 'call_2' },
    ])
  })

  it('closes an answer whose lease ran out, once, with what was checkpointed, and lets the true end win', async () => {
    const owner = someActor()
    const completionId = completion()
    const { conversation } = await begin({ completionId, modelId: 'm', userMessage: user('Hi') }, owner)
    await checkpoint({ completionId, message: assistant('Hel') }, owner)
    await sweep()
    expect((await itemsOf(conversation.id, owner))[1]).toMatchObject({ status: 'IN_PROGRESS' })

    await expireLeases()
    await Promise.all([sweep(), sweep(), sweep()])
    expect(await itemsOf(conversation.id, owner)).toMatchObject([
      { text: 'Hi', status: 'COMPLETED' },
      {
        text: 'Hel',
        status: 'INCOMPLETE',
        incompleteAt: expect.any(String),
        incompleteDetails: { reason: 'interrupted' },
      },
    ])
    expect((await context({ conversationId: conversation.id }, owner)).messages).toEqual([
      user('Hi'),
      assistant('Hel'),
    ])

    await finish({ completionId, status: 'COMPLETED', message: assistant('Hello') }, owner)
    const items = await itemsOf(conversation.id, owner)
    expect(items).toHaveLength(2)
    expect(items[1]).toMatchObject({
      text: 'Hello',
      status: 'COMPLETED',
      incompleteAt: null,
      incompleteDetails: null,
    })
    await sweep()
    expect((await itemsOf(conversation.id, owner))[1]).toMatchObject({ status: 'COMPLETED' })
  })

  it('takes a swept turn up again when its writer is alive after all', async () => {
    const owner = someActor()
    const completionId = completion()
    const { conversation } = await begin({ completionId, modelId: 'm', userMessage: user('Hi') }, owner)
    await expireLeases()
    await sweep()
    expect(await checkpoint({ completionId, message: assistant('still here') }, owner)).toBe(true)
    expect((await itemsOf(conversation.id, owner))[1]).toMatchObject({
      status: 'IN_PROGRESS',
      text: 'still here',
      incompleteDetails: null,
    })
    await finish(
      {
        completionId,
        status: 'INCOMPLETE',
        message: assistant('still he'),
        incompleteReason: 'client_disconnected',
      },
      owner,
    )
    expect((await itemsOf(conversation.id, owner))[1]).toMatchObject({
      status: 'INCOMPLETE',
      text: 'still he',
      incompleteDetails: { reason: 'client_disconnected' },
    })
  })

  it('stores tool calls as open mcp_call items, and tells the model of calls and results as it wants them', async () => {
    const owner = someActor()
    const { conversation } = await append(
      turn('Find it', '', {
        message: assistant(null, { tool_calls: [call('call_1'), call('call_2')] }),
        finishReason: 'tool_calls',
      }),
      owner,
    )
    const id = conversation.id
    expect(await itemsOf(id, owner)).toMatchObject([
      { role: 'USER' },
      { role: 'ASSISTANT', finishReason: 'tool_calls' },
      {
        type: 'mcp_call',
        status: 'IN_PROGRESS',
        callId: 'call_1',
        name: 'search',
        arguments: '{"q":"x"}',
        serverLabel: 'Jan MCP Server',
      },
      { type: 'mcp_call', status: 'IN_PROGRESS', callId: 'call_2' },
    ])
    const calling = { role: 'assistant', content: null, tool_calls: [call('call_1'), call('call_2')] }
    expect((await context({ conversationId: id }, owner)).messages).toEqual([user('Find it'), calling])
    expect((await context({ conversationId: id, openCalls: [] }, owner)).messages).toEqual([user('Find it')])
    expect((await context({ conversationId: id, openCalls: ['call_2'] }, owner)).messages).toEqual([
      user('Find it'),
      { ...calling, tool_calls: [call('call_2')] },
    ])

    const results = [
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
      { role: 'tool', tool_call_id: 'call_2', content: 'two' },
    ]
    await append({ ...turn('', 'Here it is'), conversationId: id, userMessage: results }, owner)
    expect((await itemsOf(id, owner)).slice(4)).toMatchObject([
      { type: 'message', role: 'TOOL', callId: 'call_1', text: 'one', content: [{ type: 'tool_result' }] },
      { role: 'TOOL', callId: 'call_2' },
      { role: 'ASSISTANT', text: 'Here it is' },
    ])
    expect(await context({ conversationId: id }, owner)).toMatchObject({
      messages: [user('Find it'), calling, ...results, assistant('Here it is')],
      lastUserMessage: user('Find it'),
    })
  })

  it('tells a model of no more than a request may carry, what tools gave back included', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('Read it', 'I will'), owner)
    const items = ['a', 'b', 'c'].flatMap((callId) => [
      { type: 'function_call', callId, name: 'read', arguments: '{}' },
      { type: 'function_call_output', callId, output: callId },
    ])
    await trusted(
      'mutation ($input: AddItemsInput!) { addItems(input: $input) { conversation { id } } }',
      { conversationId: conversation.id, items },
      owner,
    )
    await test.services.database.pool.query(
      `update conversations.item set details = json_build_object('output', repeat(call_id, 12000000))
       where type = 'function_call_output' and call_id in ('a', 'b', 'c')`,
    )
    const { messages } = await context({ conversationId: conversation.id }, owner)
    const results = messages.filter(({ role }) => role === 'tool')
    expect(results.map(({ content }) => String(content).slice(0, 3))).toEqual(['bbb', 'ccc'])
  })

  it('reads no more of a long conversation than a model is told', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('Look', 'I see'), owner)
    const { pool } = test.services.database
    await pool.query(
      `alter table conversations.item alter column content set storage external;
       update conversations.branch set item_count = 60
       where conversation_key = (select key from conversations.conversation where public_id = '${conversation.id}');
       with made as (
         insert into conversations.item (conversation_key, type, role, status, details, content)
         select key, 'message', 'user', 'completed', '{}',
           json_build_array(json_build_object('type', 'input_text', 'text', repeat('x', 2000000)))
         from conversations.conversation, generate_series(3, 60) where public_id = '${conversation.id}'
         returning key
       )
       insert into conversations.branch_item (branch_key, position, public_id, item_key)
       select c.active_branch_key, row_number() over (order by made.key) + 2, 'msg_' || lpad(made.key::text, 24, '0'), made.key
       from made, conversations.conversation c where c.public_id = '${conversation.id}';
       alter table conversations.item alter column content set storage extended`,
    )
    test.takeStatements()
    const { messages } = await context({ conversationId: conversation.id }, owner)
    expect(messages).toHaveLength(16)
    const statement = test.takeStatements().find((sql) => sql.includes('json_agg')) as string
    const wanted = JSON.stringify([{ at: 0, owner: owner.id, id: conversation.id }])
    const { rows } = await pool.query(`explain (analyze, buffers, format json) ${statement}`, [wanted])
    const { Plan: plan } = rows[0]['QUERY PLAN'][0]
    // of 2 KB each, and what is told is read twice: to be measured, and to be told
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(12_000)
  })

  it('does not store system messages, nor a question that the branch ends with already', async () => {
    const owner = someActor()
    const { data } = await test.graph.clients.execute({
      document: parse(
        'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
      ),
      variables: { input: { items: [{ role: 'user', content: 'Again' }] } },
      context: test.contextFor(owner),
    })
    const { id } = data!.createConversation as { id: string }
    const stored = await append(turn('Again', 'Once', { conversationId: id }), owner)
    expect(stored.userItemId).toBeNull()
    expect((await itemsOf(id, owner)).map(({ text }) => text)).toEqual(['Again', 'Once'])
    await append(
      { ...turn('', 'Yes'), conversationId: id, userMessage: { role: 'system', content: 'Be brief' } },
      owner,
    )
    expect((await itemsOf(id, owner)).map(({ text }) => text)).toEqual(['Again', 'Once', 'Yes'])
    await append(turn('Again', 'Twice', { conversationId: id }), owner)
    expect((await itemsOf(id, owner)).map(({ text }) => text)).toEqual([
      'Again',
      'Once',
      'Yes',
      'Again',
      'Twice',
    ])
  })

  it('keeps images by reference, and reasoning only when asked to', async () => {
    const owner = someActor()
    const parts = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'jan_01', detail: 'low' } },
    ]
    const answer = assistant('A tree', { reasoning_content: 'green, tall' })
    const silent = await append({ ...turn('', ''), userMessage: user(parts), message: answer }, owner)
    const [question, reply] = await itemsOf(silent.conversation.id, owner)
    expect(question!.content).toEqual([
      { type: 'input_text', text: 'What is this?', input_text: 'What is this?' },
      {
        type: 'image',
        image: { url: 'jan_01', detail: 'low' },
        image_url: 'jan_01',
        file_id: null,
        detail: 'low',
      },
    ])
    expect(reply!.content.map(({ type }) => type)).toEqual(['output_text'])
    const told = await append(
      {
        ...turn('', ''),
        conversationId: silent.conversation.id,
        userMessage: user('And?'),
        message: answer,
        storeReasoning: true,
      },
      owner,
    )
    const items = await itemsOf(told.conversation.id, owner)
    expect(items[3]!.content.map(({ type }) => type)).toEqual(['reasoning_text', 'output_text'])
    expect(items[3]!.text).toBe('A tree')
    expect((await context({ conversationId: told.conversation.id }, owner)).messages).toEqual([
      user(parts),
      assistant('A tree'),
      user('And?'),
      assistant('A tree'),
    ])
  })

  it('refuses malformed, unknown and foreign conversations, and unknown branches, by the wire’s names', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('Hi', 'Hello'), owner)
    const refused = async (work: Promise<unknown>) => {
      const error = await work.then(
        () => null,
        (thrown: { code: string; param: string }) => thrown,
      )
      return error && { code: error.code, param: error.param }
    }
    expect(await refused(context({ conversationId: 'nonsense' }, owner))).toEqual({
      code: 'invalid_id',
      param: 'conversation',
    })
    expect(await refused(context({ conversationId: conversation.id }, someActor()))).toEqual({
      code: 'conversation_not_found',
      param: 'conversation',
    })
    expect(await refused(context({ conversationId: conversation.id, branch: 'no' }, owner))).toEqual({
      code: 'not_found',
      param: 'conversation.branch',
    })
    expect(
      await refused(append(turn('x', 'y', { conversationId: conversation.id }), someActor())),
    ).toMatchObject({ code: 'conversation_not_found' })
    expect(
      await refused(append(turn('x', 'y', { conversationId: conversation.id, branch: 'no' }), owner)),
    ).toMatchObject({ param: 'conversation.branch' })
    expect(
      await refused(finish({ completionId: 'chatcmpl-none', status: 'COMPLETED', message: {} }, owner)),
    ).toMatchObject({ code: 'not_found' })
    expect(await itemsOf(conversation.id, owner)).toHaveLength(2)
  })

  it('goes on in the branch that took the place of its own', async () => {
    const owner = someActor()
    const { conversation, userItemId } = await append(turn('Hi', 'Hello'), owner)
    const completionId = completion()
    await begin(
      { completionId, conversationId: conversation.id, modelId: 'm', userMessage: user('More') },
      owner,
    )
    await test.graph.clients.execute({
      document: parse('mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id } }'),
      variables: { input: { conversationId: conversation.id, itemId: userItemId } },
      context: test.contextFor(owner),
    })
    await finish(
      { completionId, status: 'COMPLETED', message: assistant('Here', { tool_calls: [call('call_9')] }) },
      owner,
    )
    expect(await itemsOf(conversation.id, owner)).toMatchObject([
      { text: 'Hello' },
      { text: 'More' },
      { text: 'Here', status: 'COMPLETED' },
      { type: 'mcp_call', callId: 'call_9' },
    ])
  })

  it('stays whole while turns, deletions and sweeps run at once', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('start', 'started'), owner)
    const id = conversation.id
    let deleted = 0
    const streamed = async (at: number) => {
      const completionId = completion()
      await begin(
        { completionId, conversationId: id, modelId: 'm', userMessage: user(`stream ${at}`) },
        owner,
      )
      await checkpoint({ completionId, message: assistant('so far') }, owner)
      await finish({ completionId, status: 'COMPLETED', message: assistant(`streamed ${at}`) }, owner)
    }
    const deletion = async () => {
      const [first] = await itemsOf(id, owner)
      const { errors } = await test.graph.clients.execute({
        document: parse('mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id } }'),
        variables: { input: { conversationId: id, itemId: first!.id } },
        context: test.contextFor(owner),
      })
      for (const error of errors ?? []) expect(error.extensions).toMatchObject({ code: 'item_not_found' })
      if (!errors) deleted += 1
    }
    await Promise.all(
      Array.from({ length: 8 }, (_, at) => [
        streamed(at),
        append(turn(`whole ${at}`, `answered ${at}`, { conversationId: id }), owner),
        deletion(),
        sweep(),
      ]).flat(),
    )
    const items = await itemsOf(id, owner)
    expect(deleted).toBeGreaterThan(0)
    expect(items).toHaveLength(2 + 8 * 4 - deleted)
    expect(items.map(({ sequenceNumber }) => sequenceNumber)).toEqual(items.map((_, at) => at + 1))
    expect(new Set(items.map(({ text }) => text)).size).toBe(items.length)
    expect(items.filter(({ status }) => status === 'IN_PROGRESS')).toEqual([])
  })

  it('hides its operations from clients', async () => {
    const { errors } = await test.graph.clients.execute({
      document: parse('query { turnContext(input: { conversationId: "conv_0000000000000000" }) { branch } }'),
      variables: {},
      context: test.contextFor(),
    })
    expect(errors?.[0]?.message).toMatch(/turnContext/)
  })

  it('stores a turn in one statement, however long the conversation is', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('Hi', 'Hello'), owner)
    const statementsOfTurn = async () => {
      test.takeStatements()
      await append(turn('Hi again', 'Hello', { conversationId: conversation.id }), owner)
      return test.takeStatements().length
    }
    const early = await statementsOfTurn()
    for (let at = 0; at < 20; at += 1)
      await append(turn(`q${at}`, 'a', { conversationId: conversation.id }), owner)
    expect([early, await statementsOfTurn()]).toEqual([1, 1])
  })

  it('begins, checkpoints and finishes a turn in one statement each, tool calls included, limit or not', async () => {
    const owner = someActor()
    const { conversation } = await append(turn('Hi', 'Hello'), owner)
    const id = conversation.id
    await test.services.database.pool.query(
      `update conversations.branch b set item_count = 9998 from conversations.conversation c
      where c.public_id = $1 and b.key = c.active_branch_key`,
      [id],
    )
    const completionId = completion()
    test.takeStatements()
    await begin({ completionId, conversationId: id, modelId: 'm', userMessage: user('Look') }, owner)
    await checkpoint({ completionId, message: assistant('So') }, owner)
    const calling = assistant('So far', { tool_calls: [call('call_1'), call('call_2')] })
    const finished = await finish({ completionId, status: 'COMPLETED', message: calling }, owner)
    expect(test.takeStatements()).toHaveLength(3)
    expect(finished.conversation.itemCount).toBe(10_002)
    expect((await itemsOf(id, owner)).slice(2)).toMatchObject([
      { text: 'Look', sequenceNumber: 9_999 },
      { text: 'So far', status: 'COMPLETED', sequenceNumber: 10_000 },
      { callId: 'call_1', name: 'search', status: 'IN_PROGRESS', sequenceNumber: 10_001 },
      { callId: 'call_2', sequenceNumber: 10_002 },
    ])
  })
})
