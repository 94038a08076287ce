import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { memoryChannel } from '../../platform/memory-changes.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph({ MEMORY_ENABLED: 'true' })
})
afterAll(() => test.stop())

/** Asks the whole graph, as the platform does. */
async function ask<T>(text: string, variables: object, actor: Actor | null): Promise<T> {
  const context = test.contextFor(actor)
  const document = parse(text)
  return (await context.graph.execute(document, variables as Record<string, unknown>, context)) as T
}

interface Hit {
  readonly memory: { readonly key: string }
  readonly similarity: number
}
type Kind = 'user' | 'project' | 'episodic'

const rankText = `query ($input: RankMemoriesInput!) {
  rankMemories(input: $input) {
    user { ...Hit } project { ...Hit } episodic { ...Hit }
  }
}
fragment Hit on RankedMemory { similarity memory { key } }`
const most = { maxUserItems: 20, maxProjectItems: 20, maxEpisodicItems: 20, minSimilarity: 0.5 }

async function rank(actor: Actor, input: object): Promise<Record<Kind, [string, number][]>> {
  const variables = { input: { query: '', ...most, ...input } }
  const { rankMemories } = await ask<{ rankMemories: Record<Kind, Hit[]> }>(rankText, variables, actor)
  const told = (kind: Kind) =>
    rankMemories[kind].map(({ memory, similarity }): [string, number] => [memory.key, similarity])
  return { user: told('user'), project: told('project'), episodic: told('episodic') }
}

const keys = (hits: readonly [string, number][]) => hits.map(([key]) => key)

const upsertText = 'mutation ($input: UpsertMemoriesInput!) { upsertMemories(input: $input) { id key } }'
async function upsert(
  actor: Actor,
  items: readonly (readonly [scope: string, key: string, text: string, importance?: string])[],
) {
  const input = { items: items.map(([scope, key, text, importance]) => ({ scope, key, text, importance })) }
  return (await ask<{ upsertMemories: { id: string; key: string }[] }>(upsertText, { input }, actor))
    .upsertMemories
}

/** Base64 of little-endian floats, as an embedding model's answer is passed on. */
const vector = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64')

interface Claimed {
  readonly id: string
  readonly ownerId: string
  readonly text: string
  readonly revision: number
}
const claimText =
  'mutation ($model: String!) { claimUnembeddedMemories(model: $model, limit: 100) { id ownerId text revision } }'
const storeText =
  'mutation ($model: String!, $vectors: [MemoryVectorInput!]!) { storeMemoryVectors(model: $model, vectors: $vectors) }'
const claim = async (model: string) =>
  (await ask<{ claimUnembeddedMemories: Claimed[] }>(claimText, { model }, null)).claimUnembeddedMemories
const store = async (model: string, vectors: readonly object[]) =>
  (await ask<{ storeMemoryVectors: number }>(storeText, { model, vectors }, null)).storeMemoryVectors

/** Gives every memory of the owner the vector that is told of its key. */
async function embed(owner: Actor, model: string, vectors: Readonly<Record<string, string>>): Promise<void> {
  const claimed = (await claim(model)).filter(({ ownerId }) => ownerId === owner.id)
  const made = claimed.flatMap(({ id, revision, text }) => {
    const own = vectors[text.split(':')[0] ?? '']
    return own ? [{ id, revision, vector: own }] : []
  })
  expect(await store(model, made)).toBe(Object.keys(vectors).length)
}

async function learn(actor: Actor, input: object): Promise<void> {
  const text = 'mutation ($input: LearnMemoriesInput!) { learnMemories(input: $input) { id } }'
  const full = { items: [], facts: [], forgotten: [], ...input }
  await ask(text, { input: full }, actor)
}

describe('recall by words', () => {
  it('finds what shares words with the query, the best first, and tells who somebody is whatever is asked', async () => {
    const owner = someActor()
    await upsert(owner, [
      ['CORE', 'name', 'Is called Ada.'],
      ['PREFERENCE', 'food', 'Loves cooking with basil and tomatoes.'],
      ['PREFERENCE', 'music', 'Listens to jazz.'],
      ['CONTEXT', 'kitchen', 'Is cooking for ten guests on Sunday.'],
    ])
    const { user } = await rank(owner, { query: 'What could I cook with tomatoes?', minSimilarity: 0.1 })
    expect(keys(user)).toEqual(['food', 'kitchen', 'name'])
    expect(user[0]?.[1]).toBe(1)
    expect(user[1]?.[1]).toBeLessThan(1)
    expect(user[2]?.[1]).toBe(0)
  })

  it('drops what fits much less than the best, and more than was asked for', async () => {
    const owner = someActor()
    await upsert(owner, [
      ['CONTEXT', 'one', 'Plants apples, pears and cherries.'],
      ['CONTEXT', 'two', 'Plants apples.'],
      ['CORE', 'name', 'Is called Ada.'],
    ])
    const query = 'Which apples, pears, cherries?'
    expect(keys((await rank(owner, { query, minSimilarity: 0.9 })).user)).toEqual(['one', 'name'])
    expect(keys((await rank(owner, { query, minSimilarity: 0 })).user)).toEqual(['one', 'two', 'name'])
    expect(keys((await rank(owner, { query, minSimilarity: 0, maxUserItems: 1 })).user)).toEqual(['one'])
    expect(keys((await rank(owner, { query, minSimilarity: 0, maxUserItems: 0 })).user)).toEqual([])
  })

  it.each(['', '   ', '& | ! <-> :*', 'it\'s "quoted" -minus \\ \'', 'a\u0000b', '\ud800', 'the of and'])(
    'takes any query: %j',
    async (query) => {
      const owner = someActor()
      await upsert(owner, [
        ['CORE', 'name', 'Is called Ada.'],
        ['CONTEXT', 'garden', 'Has a garden.'],
      ])
      expect(keys((await rank(owner, { query })).user)).toEqual(['name'])
    },
  )

  it('sees what another has written not at all, and what was just written at once', async () => {
    const owner = someActor()
    await upsert(owner, [['CONTEXT', 'secret', 'Hides a treasure.']])
    const query = 'Where is the treasure?'
    expect(keys((await rank(owner, { query })).user)).toEqual(['secret'])
    expect(keys((await rank(someActor(), { query })).user)).toEqual([])
    await upsert(owner, [['CONTEXT', 'map', 'Has a treasure map, a map of the treasure.']])
    expect(keys((await rank(owner, { query, minSimilarity: 0 })).user).toSorted()).toEqual(['map', 'secret'])
  })
})

describe('recall by vectors', () => {
  it('ranks by their cosine, whatever their length; importance decides between equals', async () => {
    const owner = someActor()
    await upsert(owner, [
      ['CONTEXT', 'near', 'N.'],
      ['CONTEXT', 'nearer', 'M.'],
      ['CONTEXT', 'far', 'F.'],
      ['PREFERENCE', 'equal', 'E.', 'CRITICAL'],
      ['CORE', 'name', 'Is called Ada.'],
    ])
    await embed(owner, 'model-a', {
      near: vector(4, 3),
      nearer: vector(1, 0.1),
      far: vector(0, 1),
      equal: vector(0.4, 0.3),
      name: vector(-1, 0),
    })
    const asked = { vector: vector(10, 0), vectorModel: 'model-a' }
    const { user } = await rank(owner, { ...asked, minSimilarity: 0.7 })
    expect(keys(user)).toEqual(['nearer', 'equal', 'near', 'name'])
    expect(user[1]?.[1]).toBeCloseTo(0.8)
    expect(user[3]?.[1]).toBe(0)
    expect(keys((await rank(owner, { ...asked, minSimilarity: 0.99 })).user)).toEqual(['nearer', 'name'])
  })

  it('goes by the words of what has no vector of the model, and finds everything where no similarity is asked for', async () => {
    const owner = someActor()
    await upsert(owner, [
      ['CONTEXT', 'near', 'N.'],
      ['CONTEXT', 'far', 'F.'],
    ])
    await embed(owner, 'model-a', { near: vector(4, 3), far: vector(0, 1) })
    await upsert(owner, [
      ['CONTEXT', 'boat', 'Builds a boat.'],
      ['CONTEXT', 'home', 'Lives in Rome.'],
    ])
    const asked = { vector: vector(1, 0), vectorModel: 'model-a', query: 'Which boat?' }
    expect((await rank(owner, asked)).user).toEqual([
      ['boat', 1],
      ['near', expect.closeTo(0.8)],
    ])
    expect(keys((await rank(owner, { ...asked, minSimilarity: 0 })).user).toSorted()).toEqual([
      'boat',
      'far',
      'home',
      'near',
    ])
  })

  it('takes vectors of another model, and of another length, for none', async () => {
    const owner = someActor()
    await upsert(owner, [
      ['CONTEXT', 'old', 'O.'],
      ['CONTEXT', 'short', 'S.'],
    ])
    await embed(owner, 'model-a', { old: vector(1, 0), short: vector(1) })
    const asked = { vector: vector(1, 0), vectorModel: 'model-a' }
    expect(keys((await rank(owner, asked)).user)).toEqual(['old'])
    expect(keys((await rank(owner, { ...asked, vectorModel: 'model-b' })).user)).toEqual([])
    await embed(owner, 'model-b', { old: vector(1, 0), short: vector(1, 0) })
    expect(keys((await rank(owner, { ...asked, vectorModel: 'model-b' })).user).toSorted()).toEqual([
      'old',
      'short',
    ])
  })

  it('refuses what is no vector', async () => {
    const owner = someActor()
    for (const given of ['', 'AAA=', vector(0, 0), vector(Number.NaN)])
      await expect(rank(owner, { vector: given, vectorModel: 'model-a' })).rejects.toMatchObject({
        code: 'invalid_parameter',
        param: 'vector',
      })
  })
})

describe('vectors in the making', () => {
  it('are claimed by one at a time, and stored only for what is still as it was', async () => {
    const owner = someActor()
    const mine = async () => (await claim('model-c')).filter(({ ownerId }) => ownerId === owner.id)
    const [item] = await upsert(owner, [['CONTEXT', 'boat', 'Builds a boat.']])
    const [claimed] = await mine()
    expect(claimed).toMatchObject({ id: item?.id, text: 'boat: Builds a boat.' })
    expect(await mine()).toEqual([])

    await upsert(owner, [['CONTEXT', 'boat', 'Has sold the boat.']])
    const late = { id: claimed?.id, revision: claimed?.revision, vector: vector(1, 0) }
    expect(await store('model-c', [late])).toBe(0)
    const [again] = await mine()
    expect(again?.text).toBe('boat: Has sold the boat.')
    expect(await store('model-c', [{ id: again?.id, revision: again?.revision, vector: vector(1, 0) }])).toBe(
      1,
    )
    expect(await mine()).toEqual([])
  })

  it('are stored without waiting for who changes a memory: that one gets its vector later', async () => {
    const owner = someActor()
    await upsert(owner, [
      ['CONTEXT', 'boat', 'Builds a boat.'],
      ['CONTEXT', 'bike', 'Rides a bike.'],
    ])
    const claimed = (await claim('model-e')).filter(({ ownerId }) => ownerId === owner.id)
    const made = claimed.map(({ id, revision }) => ({ id, revision, vector: vector(1, 0) }))
    const other = await test.services.database.pool.connect()
    try {
      await other.query('begin')
      await other.query('select from memory.item where public_id = $1 for update', [made[0]?.id])
      expect(await store('model-e', made)).toBe(1)
      await other.query('commit')
      expect(await store('model-e', made)).toBe(2)
    } finally {
      await other.query('rollback')
      other.release()
    }
  })

  it('are made anew when a text is changed by hand, and not when only its importance is', async () => {
    const owner = someActor()
    const [item] = await upsert(owner, [['CONTEXT', 'bike', 'Rides a bike.']])
    await embed(owner, 'model-d', { bike: vector(1, 0) })
    const asked = { vector: vector(1, 0), vectorModel: 'model-d' }
    const change = 'mutation ($input: UpdateMemoryInput!) { updateMemory(input: $input) { id } }'
    await ask(change, { input: { id: item?.id, importance: 'HIGH' } }, owner)
    expect(keys((await rank(owner, asked)).user)).toEqual(['bike'])
    await ask(change, { input: { id: item?.id, text: 'Rides a horse.' } }, owner)
    expect(keys((await rank(owner, asked)).user)).toEqual([])
    await embed(owner, 'model-d', { bike: vector(0, 1) })
    expect(keys((await rank(owner, { ...asked, minSimilarity: 0 })).user)).toEqual(['bike'])
  })
})

describe('every change', () => {
  it('is told to all processes, with its owner', async () => {
    const owner = someActor()
    const heard: string[] = []
    const unfollow = test.services.notifications.follow(memoryChannel, (ownerId) => heard.push(ownerId))
    const told = async (work: () => Promise<unknown>) => {
      heard.length = 0
      await work()
      await test.services.notifications.caughtUp()
      return heard.filter((ownerId) => ownerId === owner.id).length
    }
    const items = [['CONTEXT', 'bike', 'Rides a bike.']] as const
    let id: string | undefined
    expect(
      await told(async () => {
        id = (await upsert(owner, items))[0]?.id
      }),
    ).toBe(1)
    expect(await told(() => embed(owner, 'model-e', { bike: vector(1, 0) }))).toBe(1)
    const change = 'mutation ($input: UpdateMemoryInput!) { updateMemory(input: $input) { id } }'
    expect(await told(() => ask(change, { input: { id, importance: 'LOW' } }, owner))).toBe(1)
    expect(
      await told(() => ask('mutation ($id: ID!) { deleteMemories(ids: [$id]) { ids } }', { id }, owner)),
    ).toBe(1)
    unfollow()
  })
})

describe('what was learned of a conversation', () => {
  const conversationId = 'conv_0123456789abcdef'

  it('is found again: facts of the person, of the project, and what it was about', async () => {
    const owner = someActor()
    const projectId = 'proj_0123456789abcdef'
    await learn(owner, {
      conversationId,
      projectId,
      items: [{ scope: 'CONTEXT', key: 'fence', text: 'Is painting a fence.' }],
      facts: [{ kind: 'DECISION', title: 'colour', text: 'The fence gets green paint.' }],
      episode: 'Spoke of painting the fence.',
    })
    const query = 'Which paint for the fence?'
    const found = await rank(owner, { query, projectId, minSimilarity: 0 })
    expect([keys(found.user), keys(found.project), keys(found.episodic)]).toEqual([
      ['fence'],
      ['colour'],
      [conversationId],
    ])
    expect((await rank(owner, { query, minSimilarity: 0 })).project).toEqual([])
    const here = { query, projectId, minSimilarity: 0, exceptConversationId: conversationId }
    expect((await rank(owner, here)).episodic).toEqual([])
  })

  it('replaces what it contradicts, and what was said of the same conversation before', async () => {
    const owner = someActor()
    const [old] = await upsert(owner, [['CONTEXT', 'job', 'Works as a baker.']])
    await learn(owner, { conversationId, episode: 'Spoke of bread.' })
    await learn(owner, {
      conversationId,
      forgotten: [old?.id, 'mem_0000000000000000', 'nonsense'],
      items: [{ scope: 'CORE', key: 'profession', text: 'Is a baker no more, but a pilot.' }],
      episode: 'Spoke of planes.',
    })
    const all = '{ exportMemories { key text scope conversation { id } } }'
    expect((await ask<{ exportMemories: object[] }>(all, {}, owner)).exportMemories).toMatchObject([
      { scope: 'EPISODE', key: conversationId, text: 'Spoke of planes.' },
      { scope: 'CORE', key: 'profession' },
    ])
  })

  it('forgets nothing of another’s', async () => {
    const [foreign] = await upsert(someActor(), [['CORE', 'name', 'Is called Ada.']])
    const owner = someActor()
    await learn(owner, { conversationId, forgotten: [foreign?.id] })
    const { rows } = await test.services.database.pool.query('select from memory.item where public_id = $1', [
      foreign?.id,
    ])
    expect(rows).toHaveLength(1)
  })

  it('keeps the newest 100 episodes', async () => {
    const owner = someActor()
    await test.services.database.pool.query(
      `insert into memory.item (public_id, owner_id, scope, topic, text, importance, conversation_id, updated_at)
       select 'mem_epi' || lpad(n::text, 13, '0'), $1, 'EPISODE', 'conv_' || n, 'Spoke.', 0, 'conv_' || n,
         now() - interval '1 hour' * n from generate_series(1, 100) n`,
      [owner.id],
    )
    await learn(owner, { conversationId, episode: 'Spoke of bread.' })
    const stats = '{ memoryStats { episode } memories(first: 1) { nodes { key } } }'
    expect(await ask(stats, {}, owner)).toEqual({
      memoryStats: { episode: 100 },
      memories: { nodes: [{ key: conversationId }] },
    })
    const { rows } = await test.services.database.pool.query(
      `select from memory.item where owner_id = $1 and topic = 'conv_100'`,
      [owner.id],
    )
    expect(rows).toEqual([])
  })
})
