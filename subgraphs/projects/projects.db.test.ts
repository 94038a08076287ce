import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Pool } from 'pg'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

const run = async (text: string, variables = {}, actor = someActor()) =>
  test.graph.clients.execute({ document: parse(text), variables, context: test.contextFor(actor) })

const create =
  'mutation ($input: CreateProjectInput!) { createProject(input: $input) { id name isArchived createdAt } }'

const createNamed = async (name: string, owner = someActor()): Promise<string> => {
  const { data, errors } = await run(create, { input: { name } }, owner)
  if (!data) throw new Error(`no project was created: ${errors?.[0]?.message}`)
  return (data.createProject as { id: string }).id
}

const update = '($input: UpdateProjectInput!) { updateProject(input: $input) { archivedAt } }'

/** Settles once a statement of this database waits for a lock. */
async function lockWaits(pool: Pool): Promise<void> {
  const waiting =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await pool.query(waiting)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('projects', () => {
  it('creates a project and reads it back, for its owner alone', async () => {
    const owner = someActor()
    const created = await run(create, { input: { name: '  Garden ' } }, owner)
    expect(created.errors).toBeUndefined()
    const project = created.data?.createProject as { id: string; name: string }
    expect(project).toMatchObject({ name: 'Garden', isArchived: false })

    const query = 'query ($id: ID!) { project(id: $id) { name } }'
    expect((await run(query, { id: project.id }, owner)).data).toEqual({ project: { name: 'Garden' } })
    expect((await run(query, { id: project.id })).data).toEqual({ project: null })
  })

  it('refuses a second live project of one name with already_exists, naming the field', async () => {
    const owner = someActor()
    await run(create, { input: { name: 'Twice' } }, owner)
    const second = await run(create, { input: { name: 'Twice' } }, owner)
    expect(second.errors?.[0]?.extensions).toMatchObject({ code: 'already_exists', param: 'name' })
    expect((await run(create, { input: { name: 'Twice' } })).errors).toBeUndefined()
  })

  it('pages by keyset: newest first, without a gap when rows are deleted in between', async () => {
    const owner = someActor()
    for (const name of ['one', 'two', 'three', 'four', 'five']) {
      await createNamed(name, owner)
    }
    const list =
      'query ($after: String) { projects(first: 2, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } totalCount } }'
    const first = (await run(list, {}, owner)).data?.projects as { pageInfo: { endCursor: string } }
    expect(first).toMatchObject({
      nodes: [{ name: 'five' }, { name: 'four' }],
      pageInfo: { hasNextPage: true },
      totalCount: 5,
    })
    await run(
      'mutation ($id: ID!) { deleteProject(id: $id) { id } }',
      { id: first.pageInfo.endCursor },
      owner,
    )
    const second = (await run(list, { after: first.pageInfo.endCursor }, owner)).data?.projects
    expect(second).toMatchObject({ nodes: [{ name: 'three' }, { name: 'two' }], totalCount: 4 })
  })

  it('refuses a cursor that is not the caller’s with invalid_cursor', async () => {
    const foreign = await createNamed('foreign')
    const list = 'query ($after: String) { projects(after: $after) { nodes { id } } }'
    expect((await run(list, { after: foreign })).errors?.[0]?.extensions).toMatchObject({
      code: 'invalid_cursor',
      param: 'after',
    })
  })

  it('frees the name of a deleted project and hides it', async () => {
    const owner = someActor()
    const id = await createNamed('Phoenix', owner)
    await run('mutation ($id: ID!) { deleteProject(id: $id) { id } }', { id }, owner)
    expect((await run('query ($id: ID!) { project(id: $id) { id } }', { id }, owner)).data).toEqual({
      project: null,
    })
    expect((await run(create, { input: { name: 'Phoenix' } }, owner)).errors).toBeUndefined()
  })

  it('takes what can’t be an id for an unknown one', async () => {
    const owner = someActor()
    const nul = 'proj_\u0000000000000000'
    expect((await run('query ($id: ID!) { project(id: $id) { id } }', { id: nul }, owner)).data).toEqual({
      project: null,
    })
    const removed = await run('mutation ($id: ID!) { deleteProject(id: $id) { id } }', { id: nul }, owner)
    expect(removed.errors?.[0]?.extensions).toMatchObject({ code: 'project_not_found' })
    const listed = await run(
      'query ($after: String) { projects(after: $after) { nodes { id } } }',
      { after: nul },
      owner,
    )
    expect(listed.errors?.[0]?.extensions).toMatchObject({ code: 'invalid_cursor' })
  })

  it('keeps the time of the first archiving until it is taken back', async () => {
    const owner = someActor()
    const id = await createNamed('Attic', owner)
    const archive = async (isArchived: boolean) => {
      const input = { id, isArchived }
      const { data } = await run(`mutation ${update}`, { input }, owner)
      if (!data) throw new Error('the project was not changed')
      return (data.updateProject as { archivedAt: string | null }).archivedAt
    }
    const first = await archive(true)
    expect(first).not.toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await archive(true)).toBe(first)
    expect((await run(`mutation ${update}`, { input: { id, isFavorite: true } }, owner)).data).toMatchObject({
      updateProject: { archivedAt: first },
    })
    expect(await archive(false)).toBeNull()
    expect(await archive(true)).not.toBe(first)
  })

  it('does not answer a change with a project that was deleted meanwhile', async () => {
    const owner = someActor()
    const id = await createNamed('Fading', owner)
    const { pool } = test.services.database
    const deleting = await pool.connect()
    try {
      await deleting.query('begin')
      await deleting.query('update projects.project set deleted_at = now() where public_id = $1', [id])
      const changing = run(`mutation ${update}`, { input: { id, name: 'Bright' } }, owner)
      await lockWaits(pool)
      await deleting.query('commit')
      expect((await changing).errors?.[0]?.extensions).toMatchObject({ code: 'project_not_found' })
    } finally {
      // closes the connection: a failure above may have left its transaction open
      deleting.release(true)
    }
  })

  it('asks for a sign-in', async () => {
    const result = await test.graph.clients.execute({
      document: parse('{ projects { totalCount } }'),
      variables: {},
      context: test.contextFor(null),
    })
    expect(result.errors?.[0]?.extensions).toMatchObject({ code: 'missing_credentials', type: 'auth_error' })
  })
})
