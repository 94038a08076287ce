import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import {
  type AskedToLearn,
  askedToLearn,
  memoryProvider,
  type Understood,
} from '../../platform/testing/memory-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, readFrames } from './testing/caller.ts'

/** What the model that reads conversations answers; set by each test. */
let understand: (asked: AskedToLearn) => Understood | string | Promise<Understood | string> = () => ({})
/** Texts of tea point one way, all others another. */
let meaning = (text: string): number[] => (/tea|drink/i.test(text) ? [3, 0.1] : [0.1, 3])

let fake: FakeProvider
let test: TestGraph
const environment = () => ({
  VLLM_PROVIDER_URL: fake.url,
  PROVIDER_MAX_RETRIES: '0',
  MEMORY_ENABLED: 'true',
  MEMORY_EMBEDDING_MODEL_ID: 'embed-1',
})
beforeAll(async () => {
  fake = await startFakeProvider({
    models: ['fake-model', 'reader', 'embed-1', 'embed-2'],
    answer: memoryProvider(
      (asked) => understand(asked),
      (text) => meaning(text),
    ),
  })
  test = await startTestGraph(environment())
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})
beforeEach(() => {
  understand = () => ({})
})

/** Somebody with an account: settings are of users alone. */
async function aUser(graph = test): Promise<Actor> {
  const context = graph.contextFor(null)
  const document = parse('mutation { guestLogin { user { id } } }')
  const { guestLogin } = (await context.graph.execute(document, {}, context)) as {
    guestLogin: { user: { id: string } }
  }
  return someActor({ id: guestLogin.user.id })
}

async function ask<T>(text: string, variables: object, actor: Actor, graph = test): Promise<T> {
  const { data, errors } = await graph.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: graph.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as T
}

const said = (content: string) => ({ role: 'user', content })
const complete = async (body: object, actor: Actor, graph = test) =>
  JSON.parse(await callerOf(graph, actor).complete({ model: 'fake-model', ...body }))

interface Memory {
  readonly id: string
  readonly scope: string
  readonly key: string
  readonly text: string
  readonly conversation: { readonly id: string } | null
}
const memoriesOf = async (actor: Actor) =>
  (
    await ask<{ exportMemories: Memory[] }>(
      '{ exportMemories { id scope key text conversation { id } } }',
      {},
      actor,
    )
  ).exportMemories
const learned = (actor: Actor, count = 1) =>
  eventually(
    () => memoriesOf(actor),
    ({ length }) => length >= count,
  )
const fact = (key: string, text: string, more: object = {}) => ({
  scope: 'preference',
  key,
  text,
  importance: 'medium',
  ...more,
})
/** What readers were asked about this text. */
const lessonsOf = (text: string) =>
  fake.requests.flatMap((request) => {
    const asked = askedToLearn(request)
    return asked?.conversation.some(({ content }) => content.includes(text)) ? [{ request, asked }] : []
  })
const upsert = (actor: Actor, items: readonly object[]) =>
  ask(
    'mutation ($input: UpsertMemoriesInput!) { upsertMemories(input: $input) { id } }',
    { input: { items } },
    actor,
  )

const settingsOf = (actor: Actor, memoryConfig: object, graph = test) =>
  ask(
    'mutation ($input: UpdateUserSettingsInput!) { updateUserSettings(input: $input) { id } }',
    { input: { memoryConfig } },
    actor,
    graph,
  )

interface Hit {
  readonly similarity: number | null
  readonly memory: { readonly text: string }
}
const recallText = `query ($input: RecallMemoryInput!) { recallMemory(input: $input) {
  core { similarity memory { text } } semantic { similarity memory { text } } episodic { similarity memory { text } }
} }`
async function recall(actor: Actor, input: object, graph = test) {
  const { recallMemory } = await ask<{ recallMemory: Record<'core' | 'semantic' | 'episodic', Hit[]> }>(
    recallText,
    { input },
    actor,
    graph,
  )
  return recallMemory
}

describe('a stored turn', () => {
  it('is learned from by the model that answered, with what is known and as data', async () => {
    const actor = await aUser()
    understand = () => ({
      user_facts: [fact('tea', 'Drinks tea.', { importance: 'high' })],
      project_facts: [{ kind: 'decision', title: 'none', text: 'There is no project.', confidence: 1 }],
      episode: 'Spoke of tea.',
    })
    const { conversation } = await complete(
      { messages: [said('I love tea, you see.')], conversation: {} },
      actor,
    )
    expect(await learned(actor, 2)).toEqual([
      expect.objectContaining({
        scope: 'PREFERENCE',
        key: 'tea',
        text: 'Drinks tea.',
        conversation: { id: conversation.id },
      }),
      expect.objectContaining({ scope: 'EPISODE', text: 'Spoke of tea.' }),
    ])
    const [lesson] = lessonsOf('I love tea, you see.')
    expect(lesson?.asked).toEqual({
      known: [],
      in_project: false,
      conversation: [
        said('I love tea, you see.'),
        { role: 'assistant', content: 'Hello from the fake provider.' },
      ],
    })
    expect(lesson?.request.json?.model).toBe('fake-model')
  })

  it('is learned from when it was streamed, once it has ended', async () => {
    const actor = await aUser()
    understand = () => ({ user_facts: [fact('cake', 'Eats cake.')] })
    await readFrames(
      await callerOf(test, actor).stream({
        model: 'fake-model',
        messages: [said('I love cake, you see.')],
        conversation: {},
      }),
    )
    expect(await learned(actor)).toMatchObject([{ key: 'cake' }])
  })

  it('replaces and forgets what it contradicts, by number', async () => {
    const actor = await aUser()
    await upsert(actor, [
      { scope: 'CORE', key: 'home', text: 'Lives in Turin.' },
      { scope: 'CONTEXT', key: 'job', text: 'Is a baker.' },
    ])
    understand = ({ known }) => ({
      user_facts: [fact('home', 'Lives in Rome.', { scope: 'core' })],
      no_longer_true: [known.find(({ key }) => key === 'job')?.number ?? 0, 99],
    })
    await complete({ messages: [said('I moved to Rome and quit.')], conversation: {} }, actor)
    const now = await eventually(
      () => memoriesOf(actor),
      ({ length }) => length === 1,
    )
    expect(now).toMatchObject([{ key: 'home', text: 'Lives in Rome.' }])
  })

  it('of a project gives facts of the project', async () => {
    const actor = await aUser()
    const { createProject } = await ask<{ createProject: { id: string } }>(
      'mutation { createProject(input: { name: "Garden" }) { id } }',
      {},
      actor,
    )
    const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }'
    const { createConversation } = await ask<{ createConversation: { id: string } }>(
      create,
      { input: { projectId: createProject.id } },
      actor,
    )
    understand = ({ in_project }) => ({
      project_facts: in_project
        ? [{ kind: 'decision', title: 'fence', text: 'The fence is green.', confidence: 7 }]
        : [],
    })
    await complete({ messages: [said('We paint it green.')], conversation: createConversation.id }, actor)
    expect(await learned(actor)).toMatchObject([{ scope: 'PROJECT', key: 'fence' }])
  })

  it('is not learned from where the user does not want it', async () => {
    for (const memoryConfig of [{ observeEnabled: false }, { enabled: false }]) {
      const actor = await aUser()
      await settingsOf(actor, memoryConfig)
      const text = `Never mind ${actor.id}`
      await complete({ messages: [said(text)], conversation: {} }, actor)
      // one that comes after it has been learned from: so this one was looked at
      const other = await aUser()
      understand = () => ({ user_facts: [fact('k', 'So it is.')] })
      await complete({ messages: [said('Remember me.')], conversation: {} }, other)
      await learned(other)
      expect(lessonsOf(text)).toEqual([])
    }
  })

  it('is not learned from where the user switches that off while it is read', async () => {
    const actor = await aUser()
    let hasAnswered = false
    understand = async () => {
      await settingsOf(actor, { observeEnabled: false })
      test.takeStatements()
      hasAnswered = true
      return { user_facts: [fact('k', 'Wants nothing to be kept.')] }
    }
    await complete({ messages: [said('Never mind.')], conversation: {} }, actor)
    // the settings are read once more
    await eventually(
      async () => (hasAnswered ? test.takeStatements() : []),
      (statements) => statements.some((sql) => sql.includes('user_settings')),
    )
    await settingsOf(actor, { observeEnabled: true })
    understand = () => ({ user_facts: [fact('j', 'May be kept.')] })
    await complete({ messages: [said('Now do.')], conversation: {} }, actor)
    expect(await learned(actor)).toMatchObject([{ key: 'j' }])
  })

  it.each(['no JSON at all', '{"user_facts": "wrong"}', ''])(
    'is survived by an answer such as %j',
    async (answer) => {
      const actor = await aUser()
      understand = () => answer
      const text = `Broken ${actor.id}`
      await complete({ messages: [said(text)], conversation: {} }, actor)
      await eventually(
        async () => lessonsOf(text).length,
        (count) => count === 1,
      )
      understand = () =>
        '```json\n{"user_facts":[],"project_facts":[],"no_longer_true":[],"episode":"Spoke."}\n```'
      await complete({ messages: [said('Once more.')], conversation: {} }, actor)
      expect(await learned(actor)).toMatchObject([{ scope: 'EPISODE' }])
    },
  )

  it('that is not stored is not learned from', async () => {
    const actor = await aUser()
    const text = `Stateless ${actor.id}`
    await complete({ messages: [said(text)] }, actor)
    understand = () => ({ user_facts: [fact('k', 'So it is.')] })
    await complete({ messages: [said('Stored.')], conversation: {} }, actor)
    await learned(actor)
    expect(lessonsOf(text)).toEqual([])
  })
})

describe('recall', () => {
  it('finds by meaning, in vectors that are made in the background', async () => {
    const actor = await aUser()
    await upsert(actor, [
      { scope: 'PREFERENCE', key: 'hot', text: 'Has a cup of tea at five.' },
      { scope: 'PREFERENCE', key: 'fence', text: 'Wants it green.' },
    ])
    const { core } = await eventually(
      () => recall(actor, { query: 'What do I drink?' }),
      (found) => found.core.length > 0,
    )
    expect(core).toEqual([{ similarity: expect.closeTo(1), memory: { text: 'Has a cup of tea at five.' } }])
    const both = await recall(actor, { query: 'What do I drink?', minSimilarity: 0 })
    expect(both.core.map(({ memory }) => memory.text)).toEqual([
      'Has a cup of tea at five.',
      'Wants it green.',
    ])
  })

  it('goes by words where the model for embeddings fails', async () => {
    const actor = await aUser()
    await upsert(actor, [{ scope: 'PREFERENCE', key: 'fence', text: 'Wants a green fence.' }])
    const usual = meaning
    meaning = () => []
    const found = await recall(actor, { query: 'Which fence?' })
    meaning = usual
    expect(found.core).toEqual([{ similarity: 1, memory: { text: 'Wants a green fence.' } }])
  })

  it('names the field that is at fault', async () => {
    const refused = (input: object) =>
      recall(someActor(), { query: 'q', ...input }).catch((thrown: unknown) => asApp(thrown).extensions)
    expect(await refused({ query: ' ' })).toMatchObject({ code: 'invalid_parameter', param: 'query' })
    expect(await refused({ maxUserItems: 21 })).toMatchObject({ param: 'options.max_user_items' })
    expect(await refused({ minSimilarity: -0.1 })).toMatchObject({ param: 'options.min_similarity' })
  })

  it('makes all vectors anew for another model', async () => {
    const actor = await aUser()
    await upsert(actor, [{ scope: 'PREFERENCE', key: 'hot', text: 'Has tea.' }])
    const embedded = async () =>
      (
        await test.services.database.pool.query(
          'select embedding_model from memory.item where owner_id = $1',
          [actor.id],
        )
      ).rows[0]?.embedding_model
    await eventually(embedded, (model) => model === 'embed-1')
    const next = await startTestGraph({ ...environment(), MEMORY_EMBEDDING_MODEL_ID: 'embed-2' })
    const { rows } = await test.services.database.pool.query(
      'select * from memory.item where owner_id = $1',
      [actor.id],
    )
    const { public_id, owner_id, scope, topic, text, importance, embedding } = rows[0]
    await next.services.database.pool.query(
      `insert into memory.item (public_id, owner_id, scope, topic, text, importance, embedding, embedding_model)
       values ($1, $2, $3, $4, $5, $6, $7, 'embed-1')`,
      [public_id, owner_id, scope, topic, text, importance, embedding],
    )
    await ask(
      'mutation ($id: ID!) { updateMemory(input: { id: $id, importance: LOW }) { id } }',
      { id: public_id },
      actor,
      next,
    )
    const found = await eventually(
      () => recall(actor, { query: 'What do I drink?' }, next),
      ({ core }) => core.length > 0,
    )
    expect(found.core).toHaveLength(1)
    await next.stop()
  })
})

describe('a prompt', () => {
  let prompting: TestGraph
  beforeAll(async () => {
    prompting = await startTestGraph({
      ...environment(),
      PROMPT_ORCHESTRATION_ENABLED: 'true',
      PROMPT_ORCHESTRATION_MEMORY: 'true',
    })
  })
  afterAll(() => prompting.stop())

  /** What the model was told before this text. */
  const toldBefore = async (actor: Actor, text: string, conversation?: object) => {
    await complete({ messages: [said(text)], ...(conversation ? { conversation } : {}) }, actor, prompting)
    const asked = fake.requests.findLast(({ json, body }) => !json?.response_format && body.includes(text))
    return JSON.stringify(asked?.json?.messages)
  }
  const allOf = async (actor: Actor) => {
    const text = '{ exportMemories { key embedded: id } memoryStats { embedded total } }'
    return ask<{ memoryStats: { embedded: number; total: number } }>(text, {}, actor, prompting)
  }
  const embedded = (actor: Actor, count: number) =>
    eventually(
      () => allOf(actor),
      ({ memoryStats }) => memoryStats.embedded === count,
    )
  const set = (actor: Actor, memoryConfig: object) =>
    ask(
      'mutation ($input: UpdateUserSettingsInput!) { updateUserSettings(input: $input) { id } }',
      { input: { memoryConfig } },
      actor,
      prompting,
    )

  it('tells in a new conversation what was learned in another, where it fits', async () => {
    const actor = await aUser(prompting)
    understand = () => ({
      user_facts: [fact('hot', 'Takes tea with milk.'), fact('fence', 'Wants a green fence.')],
      episode: 'Spoke of tea and fences.',
    })
    expect(await toldBefore(actor, 'Nothing is known of me yet.', {})).not.toContain('Takes tea')
    await embedded(actor, 3)
    understand = () => ({})
    const told = await toldBefore(actor, 'What shall I drink?')
    expect(told).toContain('About the user: Takes tea with milk.')
    expect(told).not.toContain('green fence')
    expect(told).not.toContain('Spoke of')
  })

  it('tells only what the user’s settings let it', async () => {
    const actor = await aUser(prompting)
    const items = [
      { scope: 'CORE', key: 'name', text: 'Is called Ada, drinks.' },
      { scope: 'PREFERENCE', key: 'hot', text: 'Takes tea with milk.' },
    ]
    await ask(
      'mutation ($input: UpsertMemoriesInput!) { upsertMemories(input: $input) { id } }',
      { input: { items } },
      actor,
      prompting,
    )
    await embedded(actor, 2)
    const told = async () => {
      const text = await toldBefore(actor, 'What shall I drink?')
      return [text.includes('called Ada'), text.includes('Takes tea')]
    }
    const becomes = async (change: object, expected: boolean[]) => {
      await set(actor, change)
      const seen = await eventually(told, (now) => JSON.stringify(now) === JSON.stringify(expected))
      expect(seen).toEqual(expected)
    }
    expect(await told()).toEqual([true, true])
    await becomes({ injectSemantic: false }, [true, false])
    await becomes({ injectSemantic: true, injectUserCore: false }, [false, true])
    await becomes({ injectUserCore: true, maxUserItems: 0 }, [false, false])
    await becomes({ maxUserItems: 3, enabled: false }, [false, false])
  })

  it('goes without memories where they can’t be had', async () => {
    const actor = await aUser(prompting)
    await prompting.services.database.pool.query('alter table memory.item rename to item_gone')
    try {
      expect(await toldBefore(actor, 'Answer me all the same.')).toContain('Answer me all the same.')
    } finally {
      await prompting.services.database.pool.query('alter table memory.item_gone rename to item')
    }
  })
})

describe('an observation', () => {
  const observe = 'mutation ($input: ObserveConversationInput!) { observeConversation(input: $input) }'
  const conversationOf = async (actor: Actor) =>
    (
      await ask<{ createConversation: { id: string } }>(
        'mutation { createConversation(input: {}) { id } }',
        {},
        actor,
      )
    ).createConversation.id

  it('is learned from as a turn is', async () => {
    const actor = await aUser()
    const conversationId = await conversationOf(actor)
    understand = () => ({ user_facts: [fact('boat', 'Builds a boat.')] })
    const input = { conversationId, messages: [said('I build a boat.')], toolCalls: [{ name: 'saw' }] }
    expect(await ask(observe, { input }, actor)).toEqual({ observeConversation: 'ACCEPTED' })
    expect(await learned(actor)).toMatchObject([{ key: 'boat', conversation: { id: conversationId } }])
    expect(lessonsOf('I build a boat.')[0]?.asked.conversation[0]).toEqual({
      role: 'tool',
      content: '[{"name":"saw"}]',
    })
  })

  it('is of a conversation of the caller’s', async () => {
    const conversationId = await conversationOf(someActor())
    const input = { conversationId, messages: [said('x')] }
    const error = await ask(observe, { input }, someActor()).catch((thrown: unknown) => thrown)
    expect(asApp(error).extensions).toMatchObject({
      code: 'conversation_not_found',
      param: 'conversation_id',
    })
  })
})

it('tells what the model for embeddings answers', async () => {
  expect(await ask('mutation { testMemoryEmbedding { modelId dimension } }', {}, someActor())).toEqual({
    testMemoryEmbedding: { modelId: 'embed-1', dimension: 2 },
  })
})

it('gives lessons that wait time to end when the process stops', async () => {
  const leaving = await startTestGraph(environment())
  const actor = await aUser(leaving)
  let asked = 0
  understand = () => {
    asked += 1
    return {}
  }
  for (const text of ['one', 'two', 'three', 'four']) {
    await complete({ messages: [said(`Lesson ${text}`)], conversation: {} }, actor, leaving)
  }
  await leaving.stop()
  expect(asked).toBe(4)
})

describe('where memory is off', () => {
  it('nothing is asked of a model beside the answer, and recall says so', async () => {
    const off = await startTestGraph({ VLLM_PROVIDER_URL: fake.url })
    const actor = await aUser()
    const text = `Off ${actor.id}`
    await complete({ messages: [said(text)], conversation: {} }, actor, off)
    const refused = await recall(actor, { query: 'q' }, off).catch((thrown: unknown) => thrown)
    expect(asApp(refused).extensions).toMatchObject({ code: 'feature_disabled' })
    await off.stop()
    expect(lessonsOf(text)).toEqual([])
  })
})

function asApp(thrown: unknown) {
  return thrown as { extensions: Record<string, unknown> }
}
