import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { chatChunk, type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, readFrames } from './testing/caller.ts'

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
const said = (content: string) => ({ role: 'user', content })

async function ask(text: string, variables: object, as = actor) {
  const context = test.contextFor(as)
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context,
  })
  if (errors?.[0]) throw errors[0]
  return data as Record<string, never>
}

const complete = async (body: object, as = actor) =>
  JSON.parse(await callerOf(test, as).complete({ model, ...body }))
const stream = (body: object, signal?: AbortSignal) =>
  callerOf(test, actor).stream({ model, ...body }, signal)

interface ItemSeen {
  readonly role: string
  readonly status: string
  readonly text: string
  readonly modelId: string | null
}

async function itemsOf(id: string): Promise<ItemSeen[]> {
  const query =
    'query ($id: ID!) { conversation(id: $id) { items(order: ASC) { nodes { role status text modelId } } } }'
  const { conversation } = (await ask(query, { id })) as unknown as {
    conversation: { items: { nodes: ItemSeen[] } }
  }
  return conversation.items.nodes
}

async function newConversation(input: object = {}): Promise<string> {
  const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }'
  return ((await ask(create, { input })) as unknown as { createConversation: { id: string } })
    .createConversation.id
}

describe('a stored turn', () => {
  it('begins a conversation where none is named, and keeps both sides', async () => {
    const answer = await complete({ messages: [said('Hello there')], conversation: {} })
    expect(answer.conversation).toEqual({ id: expect.stringMatching(/^conv_/), title: 'Hello there' })
    expect(await itemsOf(answer.conversation.id)).toEqual([
      { role: 'USER', status: 'COMPLETED', text: 'Hello there', modelId: null },
      { role: 'ASSISTANT', status: 'COMPLETED', text: 'Hello from the fake provider.', modelId: model },
    ])
  })

  it('puts the project instruction first, then the history, then the request', async () => {
    const project = 'mutation { createProject(input: { name: "P", instruction: "Speak Latin." }) { id } }'
    const { createProject } = (await ask(project, {})) as unknown as { createProject: { id: string } }
    const conversation = await newConversation({ projectId: createProject.id })
    await complete({ messages: [said('one')], conversation })
    await complete({ messages: [{ role: 'system', content: 'Be brief.' }, said('two')], conversation })
    const sent = fake.requests.at(-1)?.json?.messages as { role: string; content: string }[]
    expect(sent[0]?.role).toBe('system')
    expect(sent[0]?.content).toMatch(/outranks[\s\S]*Speak Latin\./)
    expect(sent.slice(1)).toEqual([
      said('one'),
      { role: 'assistant', content: 'Hello from the fake provider.' },
      { role: 'system', content: 'Be brief.' },
      said('two'),
    ])
    expect((await itemsOf(conversation)).map(({ text }) => text)).toEqual([
      'one',
      'Hello from the fake provider.',
      'two',
      'Hello from the fake provider.',
    ])
  })

  it('is whole once the stream has ended, and its last frame tells the conversation', async () => {
    const frames = await readFrames(await stream({ messages: [said('stream')], conversation: {} }))
    const last = frames.at(-1) as { conversation: { id: string } }
    expect(last).toMatchObject({ choices: [] })
    expect(await itemsOf(last.conversation.id)).toMatchObject([
      { role: 'USER', status: 'COMPLETED', text: 'stream' },
      { role: 'ASSISTANT', status: 'COMPLETED', text: 'Hello from the fake provider.' },
    ])
  })

  it('keeps what was produced when the client leaves, marked incomplete', async () => {
    const conversation = await newConversation()
    fake.script({
      hang: 'mid-stream',
      chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half an' })],
    })
    const leaving = new AbortController()
    const events = await stream({ messages: [said('go')], conversation }, leaving.signal)
    await readFrames(events, 2)
    leaving.abort()
    const items = await eventually(
      () => itemsOf(conversation),
      ([, answer]) => answer?.status === 'INCOMPLETE',
    )
    expect(items).toMatchObject([{ text: 'go' }, { status: 'INCOMPLETE', text: 'half an', modelId: model }])
  })

  it('is checkpointed after 16 KB, while it is still being written', async () => {
    const conversation = await newConversation()
    const long = 'x'.repeat(20_000)
    fake.script({
      hang: 'mid-stream',
      chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: long })],
    })
    const events = await stream({ messages: [said('long')], conversation })
    await readFrames(events, 2)
    const items = await eventually(
      () => itemsOf(conversation),
      ([, answer]) => answer?.text === long,
    )
    expect(items[1]).toMatchObject({ status: 'IN_PROGRESS', text: long })
    await events.return?.()
  })

  it('holds its lease while the provider is silent', async () => {
    const conversation = await newConversation()
    fake.script({
      hang: 'mid-stream',
      chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'x' })],
    })
    const events = await stream({ messages: [said('slow')], conversation })
    await readFrames(events, 2)
    const lease = async () => {
      const { rows } = await test.services.database.pool.query(
        `select extract(epoch from t.lease_expires_at) as until
         from conversations.turn t join conversations.conversation c on c.key = t.conversation_key
         where t.lease_expires_at is not null and c.public_id = $1`,
        [conversation],
      )
      expect(rows).toHaveLength(1)
      return Number(rows[0].until)
    }
    const given = await lease()
    expect(await eventually(lease, (until) => until > given)).toBeGreaterThan(given)
    await events.return?.()
  })

  it('leaves open in its history the calls whose results the request brings', async () => {
    const conversation = await newConversation()
    const call = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })
    fake.script({
      body: {
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model,
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: null, tool_calls: [call('call_1')] },
            finish_reason: 'tool_calls',
          },
        ],
      },
    })
    await complete({ messages: [said('look')], conversation })
    const result = { role: 'tool', tool_call_id: 'call_1', content: 'seen' }
    await complete({ messages: [result], conversation })
    expect(fake.requests.at(-1)?.json?.messages).toMatchObject([
      said('look'),
      { role: 'assistant', tool_calls: [call('call_1')] },
      result,
    ])
  })

  it('leaves out of its history a call that nobody answers', async () => {
    const conversation = await newConversation()
    const call = { id: 'call_2', type: 'function', function: { name: 'look', arguments: '{}' } }
    fake.script({
      chunks: [
        chatChunk({ role: 'assistant', tool_calls: [{ index: 0, ...call }] }),
        chatChunk({}, 'tool_calls'),
      ],
    })
    await readFrames(await stream({ messages: [said('look')], conversation }))
    await complete({ messages: [said('never mind')], conversation })
    expect(JSON.stringify(fake.requests.at(-1)?.json?.messages)).not.toContain('call_2')
  })

  it('keeps parts that came as text as what they are', async () => {
    const conversation = await newConversation()
    await complete({ messages: [said('[{"type":"text","text":"in parts"}]')], conversation })
    expect(await itemsOf(conversation)).toMatchObject([{ text: 'in parts' }, {}])
  })

  it('does not begin where the provider refuses, whole or streamed', async () => {
    const conversation = await newConversation()
    fake.script({ status: 500 }, { status: 500 })
    await expect(complete({ messages: [said('a')], conversation })).rejects.toMatchObject({
      code: 'provider_error',
    })
    await expect(stream({ messages: [said('a')], conversation })).rejects.toMatchObject({
      code: 'provider_error',
    })
    expect(await itemsOf(conversation)).toEqual([])
  })

  it('is not stored with store: false, which only reads', async () => {
    const conversation = await newConversation()
    await complete({ messages: [said('kept')], conversation })
    const answer = await complete({ messages: [said('not kept')], conversation, store: false })
    expect(answer.conversation.id).toBe(conversation)
    expect(fake.requests.at(-1)?.json?.messages).toHaveLength(3)
    expect(await itemsOf(conversation)).toHaveLength(2)
  })

  it("does not exist in somebody else's conversation", async () => {
    const conversation = await newConversation()
    const calls = fake.requests.length
    await expect(complete({ messages: [said('a')], conversation }, someActor())).rejects.toMatchObject({
      code: 'conversation_not_found',
    })
    expect(fake.requests).toHaveLength(calls)
  })

  it('joins a conversation to every event of a subscription, one that is begun too', async () => {
    const conversation = await newConversation({ title: 'Joined' })
    const seenIn = async (wanted: object) => {
      const opened = await test.graph.clients.subscribe({
        document: parse(`subscription ($wanted: ChatConversationInput) {
          chatCompletion(input: { model: "fake-model", messages: [{ role: USER, content: "x" }], conversation: $wanted }) {
            finishReason
            conversation { id title itemCount }
          }
        }`),
        variables: { wanted },
        context: test.contextFor(actor),
      })
      if (!(Symbol.asyncIterator in opened)) throw new Error(JSON.stringify(opened))
      const seen: { finishReason: string | null; conversation: { id: string } | null }[] = []
      for await (const { data } of opened) seen.push(data?.chatCompletion as (typeof seen)[number])
      return seen
    }
    const known = await seenIn({ id: conversation })
    expect(known.length).toBeGreaterThan(5)
    expect(new Set(known.map((chunk) => chunk.conversation?.id))).toEqual(new Set([conversation]))
    expect(known.at(-1)).toMatchObject({ conversation: { title: 'Joined', itemCount: 2 } })
    expect(known.filter(({ finishReason }) => finishReason === 'stop')).toHaveLength(1)
    const begun = new Set((await seenIn({})).map((chunk) => chunk.conversation?.id))
    expect([...begun]).toEqual([expect.stringMatching(/^conv_/)])
  })
})

describe('the statements of a stored turn', () => {
  const statementsOf = async (work: () => Promise<unknown>) => {
    // what earlier turns have used is booked half a second later
    await sleep(600)
    test.takeStatements()
    await work()
    return test.takeStatements()
  }
  const stored = (conversation: unknown) => () => complete({ messages: [said('a')], conversation })
  const streamed = (conversation: unknown) => async () =>
    readFrames(await stream({ messages: [said('a')], conversation }))

  it('are one that reads and one that writes; a stream has one more at its end', async () => {
    const conversation = await newConversation()
    await stored(conversation)()
    expect(await statementsOf(stored(conversation))).toEqual([
      expect.stringContaining('json_agg'),
      expect.stringContaining('store_turn'),
    ])
    expect(await statementsOf(stored({}))).toEqual([expect.stringContaining('store_turn')])
    expect(await statementsOf(streamed(conversation))).toEqual([
      expect.stringContaining('json_agg'),
      expect.stringContaining('store_turn'),
      expect.stringContaining('finish_turn'),
    ])
  })

  it('do not become more with the conversation; a project adds the one that reads it', async () => {
    const project = 'mutation { createProject(input: { name: "Statements", instruction: "x" }) { id } }'
    const { createProject } = (await ask(project, {})) as unknown as { createProject: { id: string } }
    const conversation = await newConversation({ projectId: createProject.id })
    for (let turns = 0; turns < 15; turns += 1) await stored(conversation)()
    expect(await statementsOf(stored(conversation))).toHaveLength(3)
  })
})

describe('a stateless completion', () => {
  it('costs no SQL at all', async () => {
    await complete({ messages: [said('warm')] })
    await sleep(600)
    test.takeStatements()
    await complete({ messages: [said('a')] })
    for await (const _ of await stream({ messages: [said('b')] }));
    expect(test.takeStatements()).toEqual([])
  })
})
