import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

const run = async (text: string, variables = {}, actor = someActor()) =>
  test.graph.clients.execute({ document: parse(text), variables, context: test.contextFor(actor) })

const idOf = (data: unknown, field: string) => (data as Record<string, { id: string }>)[field]!.id

const createConversation = `mutation ($input: CreateConversationInput!) { createConversation(input: $input) {
  id title metadata referrer activeBranch itemCount isArchived project { id createdAt } createdAt updatedAt
  items(order: ASC) { totalCount nodes { id role sequenceNumber text } }
} }`

const create = async (actor = someActor(), input: object = {}) => {
  const { data, errors } = await run(createConversation, { input }, actor)
  expect(errors).toBeUndefined()
  return data?.createConversation as { id: string } & Record<string, unknown>
}

/** 2,500 empty conversations. */
const createMany = (owner: Actor) =>
  test.services.database.pool.query(
    `with made as (
      select 'conv_' || left(md5(n::text || $1), 16) as id, nextval('conversations.branch_key_seq') as branch
      from generate_series(1, 2500) n
    ), conversation as (
      insert into conversations.conversation (public_id, owner_id, active_branch_key)
      select id, $1::uuid, branch from made returning key, active_branch_key
    )
    insert into conversations.branch (key, conversation_key, name) select active_branch_key, key, 'MAIN' from conversation`,
    [owner.id],
  )

const createProject = async (actor = someActor(), name = 'Garden') => {
  const { data } = await run(
    'mutation ($input: CreateProjectInput!) { createProject(input: $input) { id } }',
    { input: { name } },
    actor,
  )
  return idOf(data, 'createProject')
}

const update = (input: object, actor = someActor()) =>
  run(
    'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id title metadata referrer isArchived project { id createdAt } } }',
    { input },
    actor,
  )

describe('conversations', () => {
  it('creates one with items, metadata and a project, and reads it back for its owner alone', async () => {
    const owner = someActor()
    const projectId = await createProject(owner)
    const created = await create(owner, {
      title: 'Trees & shrubs',
      metadata: { topic: 'garden' },
      referrer: 'web',
      projectId,
      items: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Hi!' }] },
      ],
    })
    expect(created).toMatchObject({
      id: expect.stringMatching(/^conv_[0-9a-z]{16}$/),
      title: 'Trees shrubs',
      metadata: { topic: 'garden' },
      referrer: 'web',
      activeBranch: 'MAIN',
      itemCount: 2,
      isArchived: false,
      project: { id: projectId },
      items: {
        totalCount: 2,
        nodes: [
          { role: 'USER', sequenceNumber: 1, text: 'Hello' },
          { role: 'ASSISTANT', text: 'Hi!' },
        ],
      },
    })
    const query = 'query ($id: ID!) { conversation(id: $id) { id } }'
    expect((await run(query, { id: created.id }, owner)).data).toEqual({ conversation: { id: created.id } })
    expect((await run(query, { id: created.id })).data).toEqual({ conversation: null })
  })

  it('stores nothing of a conversation whose items are refused', async () => {
    const owner = someActor()
    const result = await run(
      createConversation,
      { input: { items: [{ role: 'wizard', content: 'x' }] } },
      owner,
    )
    expect(result.errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_parameter',
      param: 'items[0].role',
    })
    expect((await run('{ conversations { totalCount } }', {}, owner)).data).toEqual({
      conversations: { totalCount: 0 },
    })
  })

  it('changes what is given, replaces the metadata and keeps the rest', async () => {
    const owner = someActor()
    const { id } = await create(owner, { title: 'Before', metadata: { a: '1' }, referrer: 'web' })
    const { data } = await update({ id, metadata: { b: '2' }, isArchived: true }, owner)
    expect(data?.updateConversation).toMatchObject({
      title: 'Before',
      metadata: { b: '2' },
      referrer: 'web',
      isArchived: true,
    })
    expect(
      (await update({ id, isArchived: false, title: null }, owner)).data?.updateConversation,
    ).toMatchObject({
      title: null,
      isArchived: false,
    })
  })

  it('locks a title that is changed by hand once there is more than one item', async () => {
    const owner = someActor()
    const { id } = await create(owner, { items: [{ role: 'user', content: 'one' }] })
    expect((await update({ id, title: 'Early' }, owner)).data?.updateConversation).toMatchObject({
      metadata: {},
    })
    await run(addItems, { input: { conversationId: id, items: [{ role: 'user', content: 'two' }] } }, owner)
    expect((await update({ id, title: 'Late' }, owner)).data?.updateConversation).toMatchObject({
      metadata: { title_locked: 'true' },
    })
    expect(
      (await update({ id, metadata: { mine: 'x', title_locked: 'no' } }, owner)).data?.updateConversation,
    ).toMatchObject({
      metadata: { mine: 'x', title_locked: 'true' },
    })
    // whoever takes the title away leaves it to the platform again
    for (const none of [null, 'New Conversation']) {
      await update({ id, title: `Not ${none}` }, owner)
      expect((await update({ id, title: none }, owner)).data?.updateConversation).toHaveProperty('metadata', {
        mine: 'x',
      })
    }
  })

  it('answers alike for what does not exist and what is another’s', async () => {
    const { id } = await create()
    for (const target of [id, 'conv_0000000000000000']) {
      expect((await update({ id: target, title: 'mine now' })).errors?.[0]?.extensions).toMatchObject({
        code: 'conversation_not_found',
      })
      const removed = await run('mutation ($id: ID!) { deleteConversation(id: $id) { id } }', { id: target })
      expect(removed.errors?.[0]?.extensions).toMatchObject({ code: 'conversation_not_found' })
    }
  })

  it('attaches only projects of the caller’s, detaches, and reads a deleted project as none', async () => {
    const owner = someActor()
    const { id } = await create(owner)
    const foreign = await createProject()
    expect((await update({ id, projectId: foreign }, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'project_not_found',
      param: 'project_id',
    })
    expect((await update({ id, projectId: 'nonsense' }, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_id',
    })

    const own = await createProject(owner)
    expect((await update({ id, projectId: own }, owner)).data?.updateConversation).toMatchObject({
      project: { id: own },
    })
    const join = 'query ($id: ID!) { project(id: $id) { conversations { totalCount nodes { id } } } }'
    expect((await run(join, { id: own }, owner)).data).toEqual({
      project: { conversations: { totalCount: 1, nodes: [{ id }] } },
    })
    const filtered =
      'query ($projectId: ID) { conversations(projectId: $projectId) { totalCount nodes { id } } }'
    expect((await run(filtered, { projectId: own }, owner)).data).toEqual({
      conversations: { totalCount: 1, nodes: [{ id }] },
    })

    await run('mutation ($id: ID!) { deleteProject(id: $id) { id } }', { id: own }, owner)
    const read = await run(
      'query ($id: ID!) { conversation(id: $id) { project { id createdAt } } }',
      { id },
      owner,
    )
    expect(read.errors).toBeUndefined()
    expect(read.data).toEqual({ conversation: { project: null } })
    expect((await run(filtered, { projectId: own }, owner)).data).toEqual({
      conversations: { totalCount: 0, nodes: [] },
    })
    expect((await update({ id, projectId: '' }, owner)).errors).toBeUndefined()
  })

  it('pages by keyset while conversations are created and deleted', async () => {
    const owner = someActor()
    for (let index = 0; index < 6; index += 1) await create(owner, { title: `number ${index}` })
    const list = `query ($after: String) { conversations(first: 2, after: $after) {
      nodes { title } pageInfo { hasNextPage endCursor } totalCount } }`
    const titles: string[] = []
    let after: string | null = null
    for (;;) {
      const { data, errors } = await run(list, { after }, owner)
      expect(errors).toBeUndefined()
      const page = data!.conversations as {
        nodes: { title: string }[]
        pageInfo: { hasNextPage: boolean; endCursor: string }
      }
      titles.push(...page.nodes.map(({ title }) => title))
      if (!page.pageInfo.hasNextPage) break
      after = page.pageInfo.endCursor
      await create(owner, { title: 'late' })
      await run('mutation ($id: ID!) { deleteConversation(id: $id) { id } }', { id: after }, owner)
    }
    expect(titles).toEqual(['number 5', 'number 4', 'number 3', 'number 2', 'number 1', 'number 0'])
    const { id: foreign } = await create()
    expect((await run(list, { after: foreign }, owner)).errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_cursor',
      param: 'after',
    })
  })

  it('counts a list only where the page does not tell how long it is', async () => {
    const owner = someActor()
    const ids: string[] = []
    for (let at = 0; at < 3; at += 1) ids.push((await create(owner, { referrer: at ? 'app' : 'web' })).id)
    const total = async (args: string) => {
      test.takeStatements()
      const { data } = await run(`{ conversations(${args}) { nodes { id } totalCount } }`, {}, owner)
      const { totalCount } = data!.conversations as { totalCount: number }
      return { totalCount, counts: test.takeStatements().filter((sql) => /count\(/.test(sql)).length }
    }
    expect(await total('first: 3')).toEqual({ totalCount: 3, counts: 0 })
    expect(await total('referrer: "app"')).toEqual({ totalCount: 2, counts: 0 })
    expect(await total('referrer: "none"')).toEqual({ totalCount: 0, counts: 0 })
    expect(await total('first: 2, offset: 2')).toEqual({ totalCount: 3, counts: 0 })
    expect(await total('first: 2')).toEqual({ totalCount: 3, counts: 1 })
    expect(await total('first: 2, offset: 5')).toEqual({ totalCount: 3, counts: 1 })
    expect(await total(`first: 5, after: "${ids[2]}"`)).toEqual({ totalCount: 3, counts: 1 })
  })

  it('filters by referrer, and shows everybody’s to administrators alone', async () => {
    const owner = someActor()
    await create(owner, { referrer: 'web' })
    await create(owner, { referrer: 'app' })
    expect(
      (await run('{ conversations(referrer: "app") { totalCount nodes { referrer } } }', {}, owner)).data,
    ).toEqual({
      conversations: { totalCount: 1, nodes: [{ referrer: 'app' }] },
    })
    const all = '{ conversations(scope: ALL, first: 1) { totalCount nodes { items { totalCount } } } }'
    expect((await run(all, {}, owner)).errors?.[0]?.extensions).toMatchObject({ code: 'admin_required' })
    const seen = await run(all, {}, someActor({ isAdmin: true, roles: ['admin'] }))
    expect((seen.data!.conversations as { totalCount: number }).totalCount).toBeGreaterThanOrEqual(2)
  })

  it('deletes all of the caller’s and none of another’s', async () => {
    const owner = someActor()
    const other = someActor()
    await create(owner)
    await create(owner)
    await create(other)
    expect((await run('mutation { deleteConversations { count } }', {}, owner)).data).toEqual({
      deleteConversations: { count: 2 },
    })
    expect((await run('mutation { deleteConversations { count } }', {}, owner)).data).toEqual({
      deleteConversations: { count: 0 },
    })
    expect((await run('{ conversations { totalCount } }', {}, other)).data).toEqual({
      conversations: { totalCount: 1 },
    })
  })

  it('deletes all that an account has in short transactions, however many there are', async () => {
    const owner = someActor()
    await createMany(owner)
    test.takeStatements()
    expect((await run('mutation { deleteConversations { count } }', {}, owner)).data).toEqual({
      deleteConversations: { count: 2500 },
    })
    expect(test.takeStatements().filter((sql) => sql.includes('set deleted_at'))).toHaveLength(3)
    expect((await run('{ conversations { totalCount } }', {}, owner)).data).toEqual({
      conversations: { totalCount: 0 },
    })
  })

  it('finds one by its id without a look at all others of its owner, planned for any owner too', async () => {
    const owner = someActor()
    const { id } = await create(owner)
    const client = await test.services.database.pool.connect()
    try {
      await client.query('begin')
      // most accounts have few: what a plan for any owner believes of this one
      await client.query(manyInserted, [5000, null])
      await client.query('analyze conversations.conversation')
      test.takeStatements()
      await run('query ($id: ID!) { conversation(id: $id) { title } }', { id }, owner)
      const [statement] = test.takeStatements().filter((sql) => sql.includes('public_id = wanted.id'))
      const { rows } = await client.query(`explain (generic_plan) ${statement}`)
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      expect(plan).toContain('conversation_public_id_key')
      expect(plan).not.toContain('conversation_of_owner')
    } finally {
      await client.query('rollback')
      client.release()
    }
  })

  it('reads pages from where the account’s own conversations lie, planned for any owner too', async () => {
    const owner = someActor()
    const { id } = await create(owner)
    const indexes = {
      '(order: DESC)': 'conversation_of_owner',
      '(after: ID)': 'conversation_of_owner',
      '(order: ASC)': 'conversation_of_owner',
      '(order: ASC, after: ID)': 'conversation_of_owner',
      '(first: 100)': 'conversation_of_owner',
      '(archived: false)': 'conversation_of_owner',
      '(archived: true)': 'conversation_archived_of_owner',
    }
    const statements: [string, string][] = []
    for (const list of Object.keys(indexes)) {
      test.takeStatements()
      await run(`{ conversations${list.replace('ID', JSON.stringify(id))} { nodes { id } } }`, {}, owner)
      statements.push([list, test.takeStatements().find((sql) => sql.includes('as wanted'))!])
    }
    const client = await test.services.database.pool.connect()
    try {
      await client.query('begin')
      // half of all are this account's, and all others are newer
      for (const ownerId of [owner.id, null]) await client.query(manyInserted, [3000, ownerId])
      await client.query('analyze conversations.conversation; analyze conversations.branch')
      const read = []
      for (const [list, statement] of statements) {
        const { rows } = await client.query(`explain (generic_plan) ${statement}`)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        // but for what has been read
        expect(plan).toMatch(/^Sort/)
        expect(plan.slice(1)).not.toMatch(/Sort {2}|Gather/)
        read.push([list, /Index Scan.* using (\w+) on conversation c /.exec(plan)?.[1]])
      }
      expect(Object.fromEntries(read)).toEqual(indexes)
      // and so it is: after five plans for this owner, the one for any
      const [[, text]] = statements as [[string, string]]
      for (let at = 0; at < 7; at += 1)
        await client.query({
          name: 'page',
          text,
          values: [JSON.stringify([{ at: 0, owner: owner.id, most: 21 }])],
        })
      const plans = `select generic_plans::integer as generic from pg_prepared_statements where name = 'page'`
      expect((await client.query(plans)).rows).toEqual([{ generic: 2 }])
    } finally {
      await client.query('rollback')
      client.release()
    }
  })

  it('reads the lists of callers who ask at once by few statements, each caller’s own', async () => {
    const owners = Array.from({ length: 20 }, () => someActor())
    const made = await Promise.all(owners.map((owner) => create(owner)))
    test.takeStatements()
    const lists = await Promise.all(
      owners.map((owner) => run('{ conversations(first: 5) { nodes { id } } }', {}, owner)),
    )
    expect(lists.map(({ data }) => data)).toEqual(
      made.map(({ id }) => ({ conversations: { nodes: [{ id }] } })),
    )
    const statements = test.takeStatements().filter((sql) => sql.includes('as wanted'))
    expect(statements.length).toBeLessThan(owners.length / 2)
  })

  it('deletes in the order of the keys, so that two who delete the same never wait for each other', async () => {
    const owner = someActor()
    const { pool } = test.services.database
    await createMany(owner)
    await pool.query('analyze conversations.conversation')
    const { rows } = await pool.query<{ id: string }>(
      'select public_id as id from conversations.conversation where owner_id = $1 order by key limit 2',
      [owner.id],
    )
    const [first, second] = rows.map(({ id }) => id)
    // its row moves behind all others
    await pool.query(`update conversations.conversation set title = repeat('x', 200) where public_id = $1`, [
      first,
    ])
    const other = await pool.connect()
    try {
      const held = 'select key from conversations.conversation where public_id = $1 for update'
      await other.query('begin')
      const { pid } = (await other.query('select pg_backend_pid() as pid')).rows[0]
      await other.query(held, [first])
      const deleted = run(
        'mutation ($ids: [ID!]!) { bulkDeleteConversations(ids: $ids) { count } }',
        { ids: [second, first] },
        owner,
      )
      const waiting = 'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))'
      while ((await pool.query(waiting, [pid])).rows.length === 0);
      expect((await other.query(`${held} nowait`, [second])).rows).toHaveLength(1)
      await other.query('commit')
      expect((await deleted).data).toEqual({ bulkDeleteConversations: { count: 2 } })
    } finally {
      await other.query('rollback')
      other.release()
    }
  })

  it.each([
    [{ title: ' ' }, 'invalid_parameter', 'title'],
    [{ title: 'x'.repeat(257) }, 'invalid_parameter', 'title'],
    [{ title: 'nul\u0000' }, 'invalid_parameter', 'title'],
    [{ referrer: 'x'.repeat(65) }, 'invalid_parameter', 'referrer'],
    [{ metadata: [] }, 'invalid_parameter', 'metadata'],
    [{ metadata: { _hidden: 'x' } }, 'invalid_parameter', 'metadata._hidden'],
    [{ metadata: { 'a-b': 'x' } }, 'invalid_parameter', 'metadata.a-b'],
    [{ metadata: { count: 1 } }, 'invalid_parameter', 'metadata.count'],
    [{ metadata: { long: 'x'.repeat(513) } }, 'invalid_parameter', 'metadata.long'],
    [
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'x'])) },
      'invalid_parameter',
      'metadata',
    ],
    [
      { items: Array.from({ length: 21 }, () => ({ role: 'user', content: 'x' })) },
      'max_items_exceeded',
      'items',
    ],
    [{ items: [{ content: 'x' }] }, 'missing_parameter', 'items[0].role'],
    [{ items: [{ role: 'user' }] }, 'missing_parameter', 'items[0].content'],
    [{ items: [{ role: 'user', content: 5 }] }, 'invalid_parameter', 'items[0].content'],
    [
      { items: [{ role: 'user', content: [{ text: 'x' }] }] },
      'missing_parameter',
      'items[0].content[0].type',
    ],
    [{ items: [{ type: 'poem', content: 'x' }] }, 'invalid_parameter', 'items[0].type'],
    [{ items: [{ role: 'user', content: 'x', status: 'odd' }] }, 'invalid_parameter', 'items[0].status'],
    [{ items: [{ role: 'user', content: 'x'.repeat(100_001) }] }, 'input_too_large', 'items[0].content'],
    [
      { items: [{ role: 'user', content: [{ type: 'thinking', thinking: 'x'.repeat(50_001) }] }] },
      'input_too_large',
      'items[0].content[0]',
    ],
    [
      { items: [{ role: 'user', content: [{ type: 'code', code: 'x'.repeat(50_001) }] }] },
      'input_too_large',
      'items[0].content[0].code',
    ],
    [
      {
        items: [
          { role: 'user', content: [{ type: 'code', code: { language: 'js', code: 'x'.repeat(50_001) } }] },
        ],
      },
      'input_too_large',
      'items[0].content[0].code',
    ],
    [
      {
        items: [
          { role: 'user', content: [{ type: 'file', file: { file_id: 'f', size: 512 * 1024 ** 2 + 1 } }] },
        ],
      },
      'input_too_large',
      'items[0].content[0]',
    ],
    [
      {
        items: [
          {
            role: 'assistant',
            content: 'x',
            details: { tool_calls: Array.from({ length: 17 }, () => ({ id: 'c' })) },
          },
        ],
      },
      'input_too_large',
      'items[0].tool_calls',
    ],
    [
      {
        items: [{ role: 'user', content: Array.from({ length: 101 }, () => ({ type: 'text', text: 'x' })) }],
      },
      'max_items_exceeded',
      'items[0].content',
    ],
    [{ items: [{ type: 'mcp_call', callId: 'a\u0000' }] }, 'invalid_parameter', 'items[0].call_id'],
  ])('refuses what is out of bounds and names it (%#)', async (input, code, param) => {
    const { errors } = await run(createConversation, { input })
    expect(errors?.[0]?.extensions).toMatchObject({ code, param })
  })

  it('asks for a sign-in', async () => {
    const result = await test.graph.clients.execute({
      document: parse('{ conversations { totalCount } }'),
      variables: {},
      context: test.contextFor(null),
    })
    expect(result.errors?.[0]?.extensions).toMatchObject({ code: 'missing_credentials' })
  })

  it('loads a conversation with 200 items, its project and the models in at most four statements', async () => {
    const owner = someActor()
    const projectId = await createProject(owner)
    const { id } = await create(owner, { projectId })
    const items = Array.from({ length: 20 }, (_, at) => ({
      role: at % 2 ? 'assistant' : 'user',
      content: `message ${at}`,
    }))
    for (let batch = 0; batch < 10; batch += 1)
      await run(addItems, { input: { conversationId: id, items } }, owner)
    test.takeStatements()
    const query = `query ($id: ID!) { conversation(id: $id) { title itemCount project { name createdAt }
      items(first: 200) { totalCount nodes { id text content model { id } } } } }`
    const { data, errors } = await run(query, { id }, owner)
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({
      conversation: { itemCount: 200, project: { name: 'Garden' }, items: { totalCount: 200 } },
    })
    expect((data!.conversation as { items: { nodes: unknown[] } }).items.nodes).toHaveLength(200)
    expect(test.takeStatements().length).toBeLessThanOrEqual(4)
  })

  it('reads the items of a page of conversations in one statement', async () => {
    const owner = someActor()
    for (let at = 0; at < 5; at += 1)
      await create(owner, { items: [{ role: 'user', content: `first of ${at}` }] })
    test.takeStatements()
    const { data } = await run(
      '{ conversations { nodes { items(first: 1) { nodes { text } } } } }',
      {},
      owner,
    )
    expect(data!.conversations).toEqual({
      nodes: [4, 3, 2, 1, 0].map((at) => ({ items: { nodes: [{ text: `first of ${at}` }] } })),
    })
    expect(test.takeStatements()).toHaveLength(2)
  })
})

const addItems =
  'mutation ($input: AddItemsInput!) { addItems(input: $input) { items { id sequenceNumber branch } conversation { itemCount } } }'

/** Conversations of one account, or of as many accounts; a fourth of them are put away. */
const manyInserted = `
  with made as (
    select 'conv_' || left(md5(random()::text), 16) as id, nextval('conversations.branch_key_seq') as branch
    from generate_series(1, $1) n
  ), conversation as (
    insert into conversations.conversation (public_id, owner_id, active_branch_key, referrer, archived_at)
    select id, coalesce($2::uuid, gen_random_uuid()), branch, 'app', case when branch % 4 = 0 then now() end
    from made returning key, active_branch_key
  )
  insert into conversations.branch (key, conversation_key, name)
  select active_branch_key, key, 'MAIN' from conversation`
