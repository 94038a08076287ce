import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, readFrames } from './testing/caller.ts'

let answering: FakeProvider
let naming: FakeProvider
let test: TestGraph
let actor: Actor
const settings = () => ({
  VLLM_PROVIDER_URL: answering.url,
  REMOTE_LLM_PROVIDER_URL: naming.url,
  PROVIDER_MAX_RETRIES: '0',
  CONVERSATION_TITLE_GENERATION_ENABLED: 'true',
  CONVERSATION_TITLE_GENERATION_MODEL_ID: 'namer',
})
beforeAll(async () => {
  answering = await startFakeProvider({ models: ['fake-model'] })
  naming = await startFakeProvider({ models: ['namer'] })
  test = await startTestGraph(settings())
  actor = someActor()
})
afterEach(() => naming.unscript())
afterAll(async () => {
  await test.stop()
  await Promise.all([answering.close(), naming.close()])
})

const said = (content: string) => ({ role: 'user', content })
const complete = async (body: object, on = test) =>
  JSON.parse(await callerOf(on, actor).complete({ model: 'fake-model', ...body }))
const turn = (conversation: unknown, content: string) => complete({ conversation, messages: [said(content)] })

async function ask<T>(text: string, variables: Record<string, unknown>, on = test): Promise<T> {
  const context = on.contextFor(actor)
  const { data, errors } = await on.graph.clients.execute({ document: parse(text), variables, context })
  if (errors?.[0]) throw errors[0]
  return data as T
}

const titleOf = async (id: string, on = test): Promise<string | null> =>
  (
    await ask<{ conversation: { title: string | null } }>(
      'query ($id: ID!) { conversation(id: $id) { title } }',
      { id },
      on,
    )
  ).conversation.title
const titleBecomes = (id: string, title: string, on = test) =>
  eventually(
    () => titleOf(id, on),
    (now) => now === title,
  )
const create = async (input: object, on = test): Promise<string> =>
  (
    await ask<{ createConversation: { id: string } }>(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
      { input },
      on,
    )
  ).createConversation.id
const firstItem = async (id: string, on = test): Promise<string | undefined> =>
  (
    await ask<{ conversation: { items: { nodes: { id: string }[] } } }>(
      'query ($id: ID!) { conversation(id: $id) { items(order: ASC) { nodes { id } } } }',
      { id },
      on,
    )
  ).conversation.items.nodes[0]?.id
/** The first message in other words, and its answer. */
const askAgain = async (conversationId: string, content: string, on = test) =>
  ask(
    'mutation ($input: RegenerateInput!) { regenerate(input: $input) { branch } }',
    { input: { conversationId, itemId: await firstItem(conversationId, on), content, model: 'fake-model' } },
    on,
  )
const update = (input: object) =>
  ask('mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id } }', { input })

/** How many titles were asked for. What wants one has begun to ask within this time. */
const asked = async () => {
  await sleep(300)
  return naming.requests.filter(({ path }) => path.endsWith('/chat/completions')).length
}

describe('a title by a model', () => {
  it('is made after the first answer, which does not wait for it; until then the first message is the title', async () => {
    naming.script({ text: '"Layers of onions"', headDelayMs: 300 })
    const { conversation } = await turn({}, 'How are onions built?')
    expect(conversation.title).toBe('How are onions built')
    expect(await titleBecomes(conversation.id, 'Layers of onions')).toBe('Layers of onions')
    const { json } = naming.requests.at(-1) ?? {}
    expect(json).toMatchObject({ model: 'namer', max_tokens: 64, temperature: 0.2 })
    expect(JSON.stringify(json)).toContain('How are onions built?')
  })

  it('is made after a stream', async () => {
    naming.script({ text: 'Streams' })
    const events = await callerOf(test, actor).stream({
      model: 'fake-model',
      conversation: {},
      messages: [said('Tell me of streams')],
    })
    const frames = await readFrames(events)
    const { conversation } = frames.at(-1) as { conversation: { id: string } }
    expect(await titleBecomes(conversation.id, 'Streams')).toBe('Streams')
  })

  it('is made again with every fifth message of the user, and not in between', async () => {
    naming.script({ text: 'First' }, { text: 'Fifth' })
    const before = await asked()
    const { conversation } = await turn({}, 'one')
    await titleBecomes(conversation.id, 'First')
    for (const text of ['two', 'three', 'four']) await turn(conversation.id, text)
    expect(await asked()).toBe(before + 1)
    await turn(conversation.id, 'five')
    expect(await titleBecomes(conversation.id, 'Fifth')).toBe('Fifth')
    await turn(conversation.id, 'six')
    expect(await asked()).toBe(before + 2)
  })

  it('is made again where the first message is asked again in other words', async () => {
    naming.script({ text: 'Of onions' }, { text: 'Of garlic' })
    const { conversation } = await turn({}, 'How are onions built?')
    await titleBecomes(conversation.id, 'Of onions')
    await askAgain(conversation.id, 'How is garlic built?')
    expect(await titleBecomes(conversation.id, 'Of garlic')).toBe('Of garlic')
  })

  it('follows the new first message where the model fails then', async () => {
    naming.script({ text: 'Of leeks' }, { status: 400 })
    const { conversation } = await turn({}, 'How are leeks built?')
    await titleBecomes(conversation.id, 'Of leeks')
    await askAgain(conversation.id, 'How are chives built?')
    expect(await titleBecomes(conversation.id, 'How are chives built')).toBe('How are chives built')
  })

  it('is cleaned: no reasoning, no marks, at most 256 characters', async () => {
    naming.script({ text: '<think>What to call it?</think>\n**Title: Of **ships** (and sails).**\nMore.' })
    const { conversation } = await turn({}, 'ships')
    expect(await titleBecomes(conversation.id, 'Of ships and sails')).toBe('Of ships and sails')
    naming.script({ text: 'long '.repeat(200) })
    const { conversation: other } = await turn({}, 'much')
    const title = await eventually(
      () => titleOf(other.id),
      (now) => now?.startsWith('long') === true,
    )
    expect(title).toMatch(/^(long )+long\.\.\.$/)
    expect(title?.length).toBeLessThanOrEqual(256)
  })

  it('is asked for once, though several turns have the same one to make', async () => {
    const id = await create({})
    const before = await asked()
    await Promise.all(['a', 'b', 'c'].map((text) => turn(id, text)))
    expect(await asked()).toBe(before + 1)
  })

  it('replaces no title that was given at creation; New Conversation is none', async () => {
    const before = await asked()
    const given = await create({ title: 'Mine' })
    await turn(given, 'one')
    expect(await asked()).toBe(before)
    expect(await titleOf(given)).toBe('Mine')
    const none = await create({ title: 'new conversation' })
    naming.script({ text: 'Named' })
    await turn(none, 'one')
    expect(await titleBecomes(none, 'Named')).toBe('Named')
  })

  it('replaces no title that a person chose, though it was being made then', async () => {
    naming.script({ text: 'Too late', headDelayMs: 500 })
    const { conversation } = await turn({}, 'one')
    await eventually(asked, (count) => count > 0)
    await update({ id: conversation.id, title: 'By hand' })
    await sleep(700)
    expect(await titleOf(conversation.id)).toBe('By hand')
    const before = await asked()
    for (const text of ['two', 'three', 'four', 'five']) await turn(conversation.id, text)
    expect(await asked()).toBe(before)
    expect(await titleOf(conversation.id)).toBe('By hand')
  })

  it('stays what the first message made of it where the model fails, or says nothing', async () => {
    const keepsItsTitle = async (question: string) => {
      const before = await asked()
      const { conversation } = await turn({}, question)
      expect(await asked()).toBe(before + 1)
      expect(await titleOf(conversation.id)).toBe(question)
    }
    naming.script({ status: 400 })
    await keepsItsTitle('A question of mine')
    naming.script({ text: '...' })
    await keepsItsTitle('Another question')
  })

  it('is not made for what is not stored, nor for results of tools', async () => {
    const before = await asked()
    await complete({ messages: [said('stateless')] })
    const id = await create({ title: 'New Conversation' })
    await complete({ conversation: id, store: false, messages: [said('read only')] })
    await complete({
      conversation: id,
      messages: [
        said('look'),
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'seen' },
      ],
    })
    expect(await asked()).toBe(before)
  })

  it("is nothing that another user's conversation gets", async () => {
    const id = await create({})
    const context = test.contextFor(someActor())
    const claim = parse('mutation ($input: ClaimTitleInput!) { claimTitle(input: $input) }')
    const set = parse('mutation ($input: GeneratedTitleInput!) { setGeneratedTitle(input: $input) }')
    const run = (document: ReturnType<typeof parse>, input: object) =>
      context.graph.execute(document, { input }, context)
    expect(await run(claim, { conversationId: id, userMessages: 1 })).toEqual({ claimTitle: false })
    expect(await run(set, { conversationId: id, title: 'Stolen' })).toEqual({ setGeneratedTitle: false })
    expect(await titleOf(id)).toBeNull()
  })
})

describe('a title without a model', () => {
  let plain: TestGraph
  beforeAll(async () => {
    plain = await startTestGraph({ ...settings(), CONVERSATION_TITLE_GENERATION_ENABLED: 'false' })
  })
  afterAll(() => plain.stop())

  const say = (conversation: unknown, content: string) =>
    complete({ conversation, messages: [said(content)] }, plain)

  it('follows the first message, asked again in other words at once or later', async () => {
    const { conversation } = await say({}, 'How are onions built?')
    await say(conversation.id, 'And leeks?')
    expect(await titleOf(conversation.id, plain)).toBe('How are onions built')
    await askAgain(conversation.id, 'How is garlic built?', plain)
    expect(await titleBecomes(conversation.id, 'How is garlic built', plain)).toBe('How is garlic built')
    const itemId = await firstItem(conversation.id, plain)
    const input = { conversationId: conversation.id, itemId, content: 'How are chives built?' }
    await ask('mutation ($input: EditItemInput!) { editItem(input: $input) { branch } }', { input }, plain)
    await say(conversation.id, 'How are chives built?')
    expect(await titleBecomes(conversation.id, 'How are chives built', plain)).toBe('How are chives built')
  })

  it('stays what a person chose', async () => {
    const id = await create({ title: 'Mine' }, plain)
    await say(id, 'one')
    await askAgain(id, 'another', plain)
    const marker = await say({}, 'marker')
    await askAgain(marker.conversation.id, 'later marker', plain)
    await titleBecomes(marker.conversation.id, 'later marker', plain)
    expect(await titleOf(id, plain)).toBe('Mine')
  })
})

describe('the platform stopping', () => {
  it('lets a title that has begun come to its end', async () => {
    const stopping = await startTestGraph(settings())
    naming.script({ text: 'In time', headDelayMs: 400 })
    const before = await asked()
    await complete({ conversation: {}, messages: [said('one')] }, stopping)
    await eventually(asked, (count) => count > before)
    await stopping.stop()
    expect(naming.requests.at(-1)).toMatchObject({ leftAt: null })
    expect(stopping.takeStatements().filter((sql) => /set title = /.test(sql))).toHaveLength(1)
  })

  it('begins none that waits', async () => {
    const stopping = await startTestGraph(settings())
    const slow = { text: 'Slow', headDelayMs: 1_000 }
    naming.script(slow, slow, slow, slow)
    const before = await asked()
    await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((text) =>
        complete({ conversation: {}, messages: [said(text)] }, stopping),
      ),
    )
    await eventually(asked, (count) => count >= before + 4)
    await stopping.stop()
    expect(await asked()).toBe(before + 4)
  })
})
