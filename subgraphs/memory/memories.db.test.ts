import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph({ MEMORY_ENABLED: 'true' })
})
afterAll(() => test.stop())

interface Memory {
  readonly id: string
  readonly scope: string
  readonly key: string
  readonly text: string
}

interface Item {
  readonly key: string
  readonly text?: string
  readonly scope?: string
  readonly importance?: string
}

const run = (text: string, variables: object, actor: Actor) =>
  test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })

async function ask<T>(text: string, variables: object, actor: Actor): Promise<T> {
  const { data, errors } = await run(text, variables, actor)
  if (errors?.[0]) throw errors[0]
  return data as T
}

const refusal = async (text: string, variables: object, actor: Actor) =>
  (await run(text, variables, actor)).errors?.[0]?.extensions

const upsertText =
  'mutation ($input: UpsertMemoriesInput!) { upsertMemories(input: $input) { id scope key text importance } }'
const filled = (items: readonly Item[]) =>
  items.map((item) => ({ scope: 'CORE', text: 'So it is.', ...item }))
const upsert = async (items: readonly Item[], actor: Actor) =>
  (await ask<{ upsertMemories: Memory[] }>(upsertText, { input: { items: filled(items) } }, actor))
    .upsertMemories

const listText =
  'query ($after: String, $scope: MemoryScope, $projectId: ID, $first: Int) { memories(after: $after, scope: $scope, projectId: $projectId, first: $first) { nodes { id scope key text } totalCount pageInfo { hasNextPage endCursor } } }'
interface Page {
  readonly nodes: Memory[]
  readonly totalCount: number
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string }
}
const list = async (actor: Actor, variables: object = {}) =>
  (await ask<{ memories: Page }>(listText, variables, actor)).memories

async function newProject(actor: Actor): Promise<string> {
  const create = 'mutation { createProject(input: { name: "Garden" }) { id } }'
  return (await ask<{ createProject: { id: string } }>(create, {}, actor)).createProject.id
}

const factsText =
  'mutation ($input: UpsertProjectMemoriesInput!) { upsertProjectMemories(input: $input) { id key kind confidence project { id name } } }'
const fact = { kind: 'DECISION', title: 'Colour', text: 'The fence is green.', confidence: 0.9 }

describe('memories', () => {
  it('are written, read back, listed and counted, for their owner alone', async () => {
    const owner = someActor()
    const [name, tea] = await upsert(
      [
        { key: 'name', text: 'Is called Ada.', importance: 'HIGH' },
        { key: 'tea', text: 'Likes tea.', scope: 'PREFERENCE' },
      ],
      owner,
    )
    expect(name).toEqual({
      id: expect.stringMatching(/^mem_[0-9a-z]{16}$/),
      scope: 'CORE',
      key: 'name',
      text: 'Is called Ada.',
      importance: 'HIGH',
    })
    expect(tea).toMatchObject({ scope: 'PREFERENCE', importance: 'MEDIUM' })
    expect(await list(owner)).toMatchObject({ nodes: [{ key: 'tea' }, { key: 'name' }], totalCount: 2 })
    expect(await list(owner, { scope: 'CORE' })).toMatchObject({ nodes: [{ key: 'name' }], totalCount: 1 })
    const stats = '{ memoryStats { total core preference context project episode embedded limit } }'
    expect(await ask(stats, {}, owner)).toEqual({
      memoryStats: {
        total: 2,
        core: 1,
        preference: 1,
        context: 0,
        project: 0,
        episode: 0,
        embedded: 0,
        limit: 1000,
      },
    })

    const one = 'query ($id: ID!) { memory(id: $id) { text } }'
    expect(await ask(one, { id: name?.id }, owner)).toEqual({ memory: { text: 'Is called Ada.' } })
    expect(await ask(one, { id: name?.id }, someActor())).toEqual({ memory: null })
    expect(await list(someActor())).toMatchObject({ nodes: [], totalCount: 0 })
  })

  it('are replaced by their scope and key, whatever the case of its letters; of two in one call the last counts', async () => {
    const owner = someActor()
    const [first] = await upsert([{ key: 'Home town', text: 'Lives in Turin.' }], owner)
    const written = await upsert(
      [
        { key: 'home town', text: 'Lives in Rome.' },
        { key: 'HOME TOWN', text: 'Lives in Oslo.' },
        { key: 'home town', text: 'Moves a lot.', scope: 'CONTEXT' },
      ],
      owner,
    )
    expect(written.map(({ id, text }) => [id === first?.id, text])).toEqual([
      [true, 'Lives in Oslo.'],
      [true, 'Lives in Oslo.'],
      [false, 'Moves a lot.'],
    ])
    expect((await list(owner)).totalCount).toBe(2)
  })

  it('are written by many at once without a fault or a double', async () => {
    const owner = someActor()
    const keys = Array.from({ length: 12 }, (_, at) => ({ key: `key ${at}` }))
    const rounds = Array.from({ length: 10 }, (_, at) => upsert(at % 2 ? keys : keys.toReversed(), owner))
    await Promise.all(rounds)
    expect((await list(owner)).totalCount).toBe(12)
  })

  it('page by keyset, and refuse a cursor that is not the caller’s', async () => {
    const owner = someActor()
    await upsert([{ key: 'one' }, { key: 'two' }, { key: 'three' }], owner)
    const first = await list(owner, { first: 2 })
    expect(first).toMatchObject({
      nodes: [{ key: 'three' }, { key: 'two' }],
      pageInfo: { hasNextPage: true },
    })
    const after = first.pageInfo.endCursor
    expect(await list(owner, { first: 2, after })).toMatchObject({
      nodes: [{ key: 'one' }],
      pageInfo: { hasNextPage: false },
    })
    expect(await refusal(listText, { after }, someActor())).toMatchObject({
      code: 'invalid_cursor',
      param: 'after',
    })
  })

  it('page on from one that is forgotten meanwhile, for a day', async () => {
    const owner = someActor()
    const [one] = await upsert([{ key: 'one' }, { key: 'two' }, { key: 'three' }], owner)
    const after = (await list(owner, { first: 2 })).pageInfo.endCursor
    const forget = (ids: unknown[], actor = owner) =>
      ask('mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) { ids } }', { ids }, actor)
    await forget([after])
    expect(await list(owner, { first: 2, after })).toMatchObject({ nodes: [{ key: 'one' }] })
    expect(await refusal(listText, { after }, someActor())).toMatchObject({ code: 'invalid_cursor' })
    await forget([one?.id])
    expect(await list(owner, { first: 2, after })).toMatchObject({ nodes: [] })

    const { pool } = test.services.database
    await pool.query(
      "update memory.forgotten set forgotten_at = now() - interval '25 hours' where owner_id = $1",
      [owner.id],
    )
    const [late] = await upsert([{ key: 'late' }], owner)
    await forget([late?.id])
    expect(await refusal(listText, { after }, owner)).toMatchObject({ code: 'invalid_cursor' })
    const { rows } = await pool.query('select public_id as id from memory.forgotten where owner_id = $1', [
      owner.id,
    ])
    expect(rows).toEqual([{ id: late?.id }])
  })

  it('change, but not to the key of another', async () => {
    const owner = someActor()
    const [tea, coffee] = await upsert([{ key: 'tea' }, { key: 'coffee' }], owner)
    const update =
      'mutation ($input: UpdateMemoryInput!) { updateMemory(input: $input) { key text importance updatedAt } }'
    const input = { id: tea?.id, text: 'Drinks none.', importance: 'LOW' }
    expect(await ask(update, { input }, owner)).toMatchObject({
      updateMemory: { key: 'tea', text: 'Drinks none.', importance: 'LOW' },
    })
    expect(await refusal(update, { input: { id: coffee?.id, key: 'Tea' } }, owner)).toMatchObject({
      code: 'already_exists',
      param: 'key',
    })
    expect(await refusal(update, { input: { id: tea?.id, kind: 'DECISION' } }, owner)).toMatchObject({
      code: 'invalid_parameter',
      param: 'kind',
    })
    expect(await refusal(update, { input }, someActor())).toMatchObject({ code: 'memory_not_found' })
  })

  it('are deleted by their owner alone, and exported whole', async () => {
    const owner = someActor()
    const [one, two] = await upsert([{ key: 'one' }, { key: 'two' }], owner)
    const remove = 'mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) { ids } }'
    const ids = [one?.id, 'mem_0000000000000000', 'nonsense\u0000']
    expect(await ask(remove, { ids }, someActor())).toEqual({ deleteMemories: { ids: [] } })
    expect(await ask(remove, { ids }, owner)).toEqual({ deleteMemories: { ids: [one?.id] } })
    expect(await ask('{ exportMemories { id } }', {}, owner)).toEqual({ exportMemories: [{ id: two?.id }] })
  })

  it.each<[string, string, (id: string | undefined) => object]>([
    ['are deleted', 'mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) { ids } }', (id) => ({ ids: [id] })],
    [
      'are changed',
      'mutation ($input: UpdateMemoryInput!) { updateMemory(input: $input) { id } }',
      (id) => ({ input: { id, text: 'Otherwise.' } }),
    ],
  ])(
    '%s one writer of an owner after the other, so that no two wait for each other',
    async (_, text, variables) => {
      const owner = someActor()
      const [one] = await upsert([{ key: 'one' }], owner)
      const { pool } = test.services.database
      const other = await pool.connect()
      try {
        await other.query('begin')
        const { pid } = (await other.query('select pg_backend_pid() as pid')).rows[0]
        await other.query(`select pg_advisory_xact_lock(hashtextextended('memory:' || $1, 0))`, [owner.id])
        const changed = ask(text, variables(one?.id), owner).then(() => 'done')
        const waits = async () => {
          const blocked = 'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))'
          while ((await pool.query(blocked, [pid])).rows.length === 0);
          return 'waits'
        }
        expect(await Promise.race([changed, waits()])).toBe('waits')
        await other.query('commit')
        expect(await changed).toBe('done')
      } finally {
        await other.query('rollback')
        other.release()
      }
    },
  )

  it('name the field that is at fault', async () => {
    const refused = (item: object) =>
      refusal(upsertText, { input: { items: [{ ...filled([{ key: 'k' }])[0], ...item }] } }, someActor())
    expect(await refused({ key: ' ' })).toMatchObject({ code: 'invalid_parameter', param: 'items[0].key' })
    expect(await refused({ key: 'x'.repeat(121) })).toMatchObject({ param: 'items[0].key' })
    expect(await refused({ text: 'x'.repeat(2_001) })).toMatchObject({ param: 'items[0].text' })
    expect(await refused({ text: 'a\u0000b' })).toMatchObject({ param: 'items[0].text' })
    const many = filled(Array.from({ length: 101 }, (_, at) => ({ key: `k${at}` })))
    expect(await refusal(upsertText, { input: { items: many } }, someActor())).toMatchObject({
      code: 'max_items_exceeded',
      param: 'items',
    })
  })

  it('have a limit that holds under parallel writes; what is there can still be replaced', async () => {
    const owner = someActor()
    const { pool } = test.services.database
    await pool.query(
      `insert into memory.item (public_id, owner_id, scope, topic, text, importance)
       select 'mem_full' || lpad(n::text, 12, '0'), $1, 'CONTEXT', 'topic ' || n, 'So it is.', 1
       from generate_series(1, 995) n`,
      [owner.id],
    )
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => upsert([{ key: `new ${at}` }], owner)),
    )
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect((await list(owner)).totalCount).toBe(1_000)
    const mixed = { input: { items: filled([{ key: 'topic 1', scope: 'CONTEXT' }, { key: 'too much' }]) } }
    expect(await refusal(upsertText, mixed, owner)).toMatchObject({ code: 'max_items_exceeded' })
    const [replaced] = await upsert([{ key: 'topic 1', scope: 'CONTEXT', text: 'New.' }], owner)
    expect(replaced?.text).toBe('New.')
  })
})

describe('facts of a project', () => {
  it('belong to a project of the caller’s', async () => {
    const owner = someActor()
    const projectId = await newProject(owner)
    const input = { projectId, facts: [fact] }
    expect(await ask(factsText, { input }, owner)).toEqual({
      upsertProjectMemories: [
        {
          id: expect.any(String),
          key: 'Colour',
          kind: 'DECISION',
          confidence: expect.closeTo(0.9),
          project: { id: projectId, name: 'Garden' },
        },
      ],
    })
    expect(await list(owner, { projectId })).toMatchObject({ nodes: [{ key: 'Colour' }], totalCount: 1 })
    const stranger = someActor()
    expect(await refusal(factsText, { input }, stranger)).toMatchObject({
      code: 'project_not_found',
      param: 'project_id',
    })
    expect(await list(stranger, { projectId })).toMatchObject({ nodes: [], totalCount: 0 })
    expect(await list(owner, { projectId: 'proj_\u0000' })).toMatchObject({ nodes: [], totalCount: 0 })
  })

  it('are kept apart by project, and are sure between 0 and 1', async () => {
    const owner = someActor()
    const projectId = await newProject(owner)
    const sure = (confidence: number) => ({ input: { projectId, facts: [{ ...fact, confidence }] } })
    expect(await refusal(factsText, sure(1.5), owner)).toMatchObject({ param: 'facts[0].confidence' })
    await ask(factsText, sure(1), owner)
    await upsert([{ key: 'Colour', scope: 'CONTEXT' }], owner)
    expect((await list(owner)).totalCount).toBe(2)
  })
})

describe('where memory is off', () => {
  it('nothing is remembered, and what is there stays in its owner’s hands', async () => {
    const off = await startTestGraph()
    const owner = someActor()
    await off.services.database.pool.query(
      `insert into memory.item (public_id, owner_id, scope, topic, text, importance)
       values ('mem_0123456789abcdef', $1, 'CORE', 'name', 'Is called Ada.', 1)`,
      [owner.id],
    )
    const execute = (text: string, variables = {}) =>
      off.graph.clients.execute({ document: parse(text), variables, context: off.contextFor(owner) })
    const refused = await execute(upsertText, { input: { items: filled([{ key: 'k' }]) } })
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'feature_disabled' })
    expect((await execute('{ memories { nodes { key } } }')).data).toEqual({
      memories: { nodes: [{ key: 'name' }] },
    })
    const removed = await execute('mutation { deleteMemories(ids: ["mem_0123456789abcdef"]) { ids } }')
    expect(removed.data).toEqual({ deleteMemories: { ids: ['mem_0123456789abcdef'] } })
    await off.stop()
  })
})
