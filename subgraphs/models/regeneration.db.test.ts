import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { newId } from '../../platform/ids.ts'
import { chatChunk, type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually } from './testing/caller.ts'

let fake: FakeProvider
let test: TestGraph
let actor: Actor
beforeAll(async () => {
  fake = await startFakeProvider()
  test = await startTestGraph({ VLLM_PROVIDER_URL: fake.url, PROVIDER_MAX_RETRIES: '0' })
  actor = someActor()
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

const model = 'fake-model'
const answerText = 'Hello from the fake provider.'
const said = (content: unknown) => ({ role: 'user', content })

async function ask<Result>(text: string, variables: object, as = actor): Promise<Result> {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(as),
  })
  if (errors?.[0]) throw errors[0]
  return data as Result
}

interface Item {
  id: string
  role: string
  status: string
  text: string
  content: { type: string; text?: string }[]
}

async function itemsOf(id: string, branch?: string): Promise<Item[]> {
  const query = `query ($id: ID!, $branch: String) {
    conversation(id: $id) { items(order: ASC, branch: $branch) { nodes { id role status text content } } } }`
  return (await ask<{ conversation: { items: { nodes: Item[] } } }>(query, { id, branch })).conversation.items
    .nodes
}
const textsOf = async (id: string, branch?: string) => (await itemsOf(id, branch)).map(({ text }) => text)
const branchesOf = async (id: string) =>
  (
    await ask<{ conversation: { branches: { name: string }[] } }>(
      'query ($id: ID!) { conversation(id: $id) { branches { name } } }',
      { id },
    )
  ).conversation.branches.map(({ name }) => name)

async function newConversation(input: object = {}): Promise<string> {
  const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }'
  return (await ask<{ createConversation: { id: string } }>(create, { input })).createConversation.id
}

/** Two questions with their answers. */
async function answered(): Promise<string> {
  const conversation = await newConversation()
  for (const question of ['one', 'two'])
    await callerOf(test, actor).complete({ model, messages: [said(question)], conversation })
  return conversation
}

interface Regeneration {
  branch: string
  oldMainBackup: string
  userItem: Item
  item: Item | null
  content: string | null
}

const regenerate = async (
  conversationId: string,
  itemId: string | undefined,
  more: object = {},
  as = actor,
) =>
  (
    await ask<{ regenerate: Regeneration }>(
      `mutation ($input: RegenerateInput!) { regenerate(input: $input) {
        branch oldMainBackup content userItem { id text } item { id text status } } }`,
      { input: { conversationId, itemId, ...more } },
      as,
    )
  ).regenerate

const prepared = '{ branch oldMainBackup userItem { id text content branch sequenceNumber } }'
const edit = async (conversationId: string, itemId: string | undefined, content: string) =>
  (
    await ask<{ editItem: Regeneration }>(
      `mutation ($input: EditItemInput!) { editItem(input: $input) ${prepared} }`,
      {
        input: { conversationId, itemId, content },
      },
    )
  ).editItem

async function stream(input: object, signal?: AbortSignal) {
  const opened = await test.graph.clients.subscribe({
    document: parse(
      'subscription ($input: RegenerateInput!) { regeneration(input: $input) { content finishReason conversation { id } } }',
    ),
    variables: { input },
    context: test.contextFor(actor, signal),
  })
  if (!(Symbol.asyncIterator in opened)) throw opened.errors?.[0]
  return opened
}

const sentMessages = () => fake.requests.at(-1)?.json?.messages

describe('a message that is asked again', () => {
  it('has a new answer on a new main branch; all that was is kept', async () => {
    const id = await answered()
    const before = await itemsOf(id)
    fake.script({
      chunks: [],
      body: {
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model,
        choices: [{ index: 0, message: { role: 'assistant', content: 'another' }, finish_reason: 'stop' }],
      },
    })
    const done = await regenerate(id, before[1]?.id)
    expect(done).toMatchObject({
      branch: 'MAIN',
      oldMainBackup: expect.stringMatching(/^MAIN_\d{14}$/),
      content: 'another',
      userItem: { text: 'one' },
      item: { text: 'another', status: 'COMPLETED' },
    })
    expect(sentMessages()).toEqual([said('one')])
    const after = await itemsOf(id)
    expect(after.map((item) => item.id)).toEqual([done.userItem.id, done.item?.id])
    expect(await textsOf(id)).toEqual(['one', 'another'])
    expect(await textsOf(id, done.oldMainBackup)).toEqual(['one', answerText, 'two', answerText])
    expect(await branchesOf(id)).toEqual(['MAIN', done.oldMainBackup])
  })

  it('may be named itself or by its answer, by ids of former branches too', async () => {
    const id = await answered()
    const items = await itemsOf(id)
    for (const item of [items[2], items[3], items[2]]) {
      await regenerate(id, item?.id, { model, temperature: 0, maxTokens: 7 })
      expect(await textsOf(id)).toEqual(['one', answerText, 'two', answerText])
      expect(fake.requests.at(-1)?.json).toMatchObject({ temperature: 0, max_tokens: 7 })
      expect(sentMessages()).toEqual([said('one'), { role: 'assistant', content: answerText }, said('two')])
    }
    const names = await branchesOf(id)
    expect(new Set(names).size).toBe(4)
  })

  it('is only prepared where the conversation has used no model, or one that is gone', async () => {
    const id = await newConversation({ items: [said('a'), { role: 'assistant', content: 'b' }] })
    const calls = fake.requests.length
    const [question, answer] = await itemsOf(id)
    expect(await regenerate(id, answer?.id)).toMatchObject({
      item: null,
      content: null,
      userItem: { text: 'a' },
    })
    expect(await textsOf(id)).toEqual(['a'])
    await test.services.database.pool.query(
      `update conversations.item i set model_id = 'gone' from conversations.conversation c
       where c.key = i.conversation_key and c.public_id = $1 and i.role = 'assistant'`,
      [id],
    )
    expect(await regenerate(id, question?.id)).toMatchObject({ item: null })
    expect(fake.requests).toHaveLength(calls)
    await expect(stream({ conversationId: id, itemId: question?.id })).rejects.toMatchObject({
      extensions: { code: 'missing_parameter', param: 'model' },
    })
  })

  it('stays as it was where the provider refuses, whole or streamed', async () => {
    const id = await answered()
    const [question] = await itemsOf(id)
    fake.script({ status: 500 }, { status: 500 })
    await expect(regenerate(id, question?.id)).rejects.toMatchObject({
      extensions: { code: 'provider_error' },
    })
    await expect(stream({ conversationId: id, itemId: question?.id })).rejects.toMatchObject({
      extensions: { code: 'provider_error' },
    })
    expect(await branchesOf(id)).toEqual(['MAIN'])
    expect(await textsOf(id)).toEqual(['one', answerText, 'two', answerText])
  })

  it('has its branch and an answer in progress before the first chunk, and what was made when the client leaves', async () => {
    const id = await answered()
    const [, answer] = await itemsOf(id)
    fake.script({
      hang: 'mid-stream',
      chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })],
    })
    const leaving = new AbortController()
    const events = await stream({ conversationId: id, itemId: answer?.id }, leaving.signal)
    expect(await itemsOf(id)).toMatchObject([{ text: 'one' }, { role: 'ASSISTANT', status: 'IN_PROGRESS' }])
    await events.next()
    await events.next()
    leaving.abort()
    const items = await eventually(
      () => itemsOf(id),
      ([, item]) => item?.status === 'INCOMPLETE',
    )
    expect(items).toMatchObject([{ text: 'one' }, { status: 'INCOMPLETE', text: 'half' }])
  })

  it('is answered in a stream, and stored as any', async () => {
    const id = await answered()
    const items = await itemsOf(id)
    let text = ''
    for await (const { data } of await stream({ conversationId: id, itemId: items[2]?.id, content: 'three' }))
      text += (data as { regeneration: { content: string | null } }).regeneration.content ?? ''
    expect(text).toBe(answerText)
    expect(await itemsOf(id)).toMatchObject([
      { text: 'one' },
      { text: answerText },
      { text: 'three' },
      { text: answerText, status: 'COMPLETED' },
    ])
  })

  it('can be one that never was answered, or whose answer is still being written', async () => {
    const id = await answered()
    // the pieces of a call, which the end of the answer books beside it
    const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }
    fake.script({ hang: 'mid-stream', chunks: [chatChunk({ role: 'assistant', tool_calls: [call] })] })
    const running = await callerOf(test, actor).stream({ model, messages: [said('three')], conversation: id })
    await running.next()
    const [, , , , question] = await itemsOf(id)
    const done = await regenerate(id, question?.id)
    expect(await textsOf(id)).toEqual(['one', answerText, 'two', answerText, 'three', answerText])
    await running.return?.()
    const former = await eventually(
      () => itemsOf(id, done.oldMainBackup),
      (items) => items.length === 7,
    )
    expect(former.slice(-2)).toMatchObject([{ status: 'INCOMPLETE' }, { status: 'IN_PROGRESS' }])
    expect(await itemsOf(id)).toHaveLength(6)
  })

  it.each([
    ['an item of no role', { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'x' }] }],
    ['instructions', { role: 'system', content: 'x' }],
    ['an answer to nobody', { role: 'assistant', content: 'x' }],
  ])('is not %s', async (_, item) => {
    const id = await newConversation({ items: [item] })
    const [only] = await itemsOf(id)
    await expect(regenerate(id, only?.id, { model })).rejects.toMatchObject({
      extensions: { code: 'invalid_parameter', param: 'item_id' },
    })
    await expect(regenerate(id, only?.id)).rejects.toMatchObject({
      extensions: { code: 'invalid_parameter' },
    })
    await expect(edit(id, only?.id, 'y')).rejects.toMatchObject({ extensions: { code: 'invalid_parameter' } })
    expect(await branchesOf(id)).toEqual(['MAIN'])
  })

  it('is refused with values out of range, and where it is not there', async () => {
    const id = await answered()
    const [question] = await itemsOf(id)
    const refusals: [() => Promise<unknown>, object][] = [
      [
        () => regenerate(id, question?.id, { temperature: 3 }),
        { code: 'invalid_parameter', param: 'temperature' },
      ],
      [
        () => regenerate(id, question?.id, { maxTokens: 0 }),
        { code: 'invalid_parameter', param: 'max_tokens' },
      ],
      [
        () => regenerate(id, question?.id, { model: 'nobody/has-it' }),
        { code: 'model_not_found', param: 'model' },
      ],
      [
        () => regenerate(id, question?.id, { model, content: ' ' }),
        { code: 'invalid_parameter', param: 'content' },
      ],
      [() => regenerate(id, newId('item'), { model }), { code: 'item_not_found' }],
      [() => regenerate(id, newId('item')), { code: 'item_not_found' }],
      [() => regenerate(id, 'nonsense'), { code: 'invalid_id', param: 'item_id' }],
      [() => regenerate(newId('conversation'), question?.id, { model }), { code: 'conversation_not_found' }],
      [() => regenerate(id, question?.id, {}, someActor()), { code: 'conversation_not_found' }],
    ]
    for (const [attempt, extensions] of refusals)
      await expect(attempt()).rejects.toMatchObject({ extensions })
    expect(await branchesOf(id)).toEqual(['MAIN'])
  })
})

describe('a message that is edited', () => {
  it('ends a new main branch, with all that is no text', async () => {
    const image = { type: 'image', image: { url: 'jan_01h' } }
    const id = await newConversation({
      items: [
        said('before'),
        said([{ type: 'input_text', text: 'old' }, image, { type: 'input_text', text: 'older' }]),
        { role: 'assistant', content: 'after' },
      ],
    })
    const [, second] = await itemsOf(id)
    const done = await edit(id, second?.id, 'new')
    expect(done).toMatchObject({
      branch: 'MAIN',
      oldMainBackup: expect.stringMatching(/^MAIN_\d{14}$/),
      userItem: {
        branch: 'MAIN',
        sequenceNumber: 2,
        text: 'new',
        content: [{ type: 'input_text', text: 'new', input_text: 'new' }, image],
      },
    })
    expect(await textsOf(id)).toEqual(['before', 'new'])
    expect(await textsOf(id, done.oldMainBackup)).toEqual(['before', 'old\nolder', 'after'])
    // once more, by the id of the former branch
    await edit(id, second?.id, 'newer')
    expect(await textsOf(id)).toEqual(['before', 'newer'])
  })

  it('can be the first, and be said as the one before it', async () => {
    const id = await newConversation({ items: [said('a'), said('b')] })
    const [first, second] = await itemsOf(id)
    await edit(id, second?.id, 'a')
    expect(await textsOf(id)).toEqual(['a', 'a'])
    await regenerate(id, second?.id, { model, content: 'a' })
    expect(await textsOf(id)).toEqual(['a', 'a', answerText])
    await edit(id, first?.id, 'c')
    expect(await textsOf(id)).toEqual(['c'])
  })

  it('is asked with its images, and stored with them', async () => {
    const id = await newConversation({
      items: [
        said([
          { type: 'input_text', text: 'what?' },
          { type: 'image', image: { url: 'https://x.test/a.png' } },
        ]),
      ],
    })
    const [question] = await itemsOf(id)
    await regenerate(id, question?.id, { model, content: 'who?' })
    expect(sentMessages()).toEqual([
      said([
        { type: 'text', text: 'who?' },
        { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
      ]),
    ])
    expect((await itemsOf(id))[0]?.content).toMatchObject([{ text: 'who?' }, { type: 'image' }])
  })

  it('takes no empty and no endless text', async () => {
    const id = await newConversation({ items: [said('a')] })
    const [question] = await itemsOf(id)
    await expect(edit(id, question?.id, '')).rejects.toMatchObject({
      extensions: { code: 'invalid_parameter', param: 'content' },
    })
    await expect(edit(id, question?.id, 'x'.repeat(100_001))).rejects.toMatchObject({
      extensions: { code: 'input_too_large' },
    })
    expect(await branchesOf(id)).toEqual(['MAIN'])
  })
})

describe('the statements of a regeneration', () => {
  it('are as many however long the conversation is', async () => {
    const id = await answered()
    const [question] = await itemsOf(id)
    const count = async (more: object) => {
      test.takeStatements()
      await ask('mutation ($input: RegenerateInput!) { regenerate(input: $input) { branch } }', {
        input: { conversationId: id, itemId: question?.id, model, ...more },
      })
      return test.takeStatements().filter((sql) => /fork_point|turn_history|json_agg|store_turn/.test(sql))
        .length
    }
    await count({})
    // where it forks, what went before, and the storing of all
    expect(await count({})).toBe(3)
    expect(await count({ content: 'x' })).toBe(4)
  })
})
