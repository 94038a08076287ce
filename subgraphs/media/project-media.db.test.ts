import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Actor } from '../../platform/actor.ts'
import { dataUrlOf, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

async function uploaded(actor: Actor, size: number): Promise<string> {
  const { createMedia } = await test.run<{ createMedia: { media: { id: string } } }>(
    actor,
    'mutation ($dataUrl: String!) { createMedia(input: { dataUrl: $dataUrl }) { media { id } } }',
    { dataUrl: dataUrlOf(await testImage('png', size)) },
  )
  return createMedia.media.id
}

async function created(actor: Actor, kind: 'Project' | 'Conversation', input: object): Promise<string> {
  const text = `mutation ($input: Create${kind}Input!) { made: create${kind}(input: $input) { id } }`
  return (await test.run<{ made: { id: string } }>(actor, text, { input })).made.id
}
const projectNamed = (actor: Actor, name: string) => created(actor, 'Project', { name })

const message = (...urls: string[]) => ({
  role: 'user',
  content: urls.map((url) => ({ type: 'image_url', image_url: { url } })),
})
const conversationIn = (actor: Actor, projectId: string | null, ...items: object[]) =>
  created(actor, 'Conversation', { projectId, items })

interface Gallery {
  readonly nodes: { readonly id: string; readonly width: number }[]
  readonly totalCount: number
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}
const galleryFields = '{ nodes { id width } totalCount pageInfo { hasNextPage endCursor } }'
async function gallery(actor: Actor, projectId: string, args = ''): Promise<Gallery> {
  const text = `query ($id: ID!) { project(id: $id) { media${args} ${galleryFields} } }`
  return (await test.run<{ project: { media: Gallery } }>(actor, text, { id: projectId })).project.media
}
const idsOf = ({ nodes }: Gallery) => nodes.map(({ id }) => id)

/** A user with a project, whose conversations name the first three of four uploads. */
async function someGallery() {
  const actor = someActor()
  const projectId = await projectNamed(actor, 'Garden')
  const ids: string[] = []
  for (const size of [11, 12, 13, 14]) ids.push(await uploaded(actor, size))
  const [first, second, third, unused] = ids as [string, string, string, string]
  const conversationId = await conversationIn(actor, projectId, message(first, second))
  await conversationIn(
    actor,
    projectId,
    message(`data:image/png;base64,${third.toUpperCase()}`),
    message(first),
  )
  return { actor, projectId, conversationId, first, second, third, unused }
}

describe('the media of a project', () => {
  it('are those that its conversations name, in every spelling, each once, newest first', async () => {
    const { actor, projectId, first, second, third } = await someGallery()
    const found = await gallery(actor, projectId)
    expect(found).toEqual({
      nodes: [
        { id: third, width: 13 },
        { id: second, width: 12 },
        { id: first, width: 11 },
      ],
      totalCount: 3,
      pageInfo: { hasNextPage: false, endCursor: first },
    })
  })

  it('are paged', async () => {
    const { actor, projectId, first, second, third } = await someGallery()
    const page = await gallery(actor, projectId, '(first: 2)')
    expect(idsOf(page)).toEqual([third, second])
    expect(page).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, endCursor: second } })
    const rest = await gallery(actor, projectId, `(first: 2, after: "${second}")`)
    expect(rest).toMatchObject({ nodes: [{ id: first }], totalCount: 3, pageInfo: { hasNextPage: false } })
    expect(idsOf(await gallery(actor, projectId, '(first: 2, offset: 1, order: ASC)'))).toEqual([
      second,
      third,
    ])
  })

  it('leave with the conversation, the item or the media itself', async () => {
    const { actor, projectId, conversationId, first, second, third } = await someGallery()
    await test.run(actor, `mutation { deleteMedia(ids: ["${third}"]) { ids } }`)
    expect(idsOf(await gallery(actor, projectId))).toEqual([second, first])

    const { conversation } = await test.run<{ conversation: { items: { nodes: { id: string }[] } } }>(
      actor,
      'query ($id: ID!) { conversation(id: $id) { items { nodes { id } } } }',
      { id: conversationId },
    )
    await test.run(
      actor,
      'mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { __typename } }',
      {
        input: { conversationId, itemId: conversation.items.nodes[0]?.id },
      },
    )
    expect(idsOf(await gallery(actor, projectId))).toEqual([first])

    await test.run(
      actor,
      'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id } }',
      {
        input: { id: await conversationIn(actor, projectId, message(second)), projectId: null },
      },
    )
    expect(idsOf(await gallery(actor, projectId))).toEqual([first])
  })

  it('are no media that a text only speaks of, and none of somebody else', async () => {
    const actor = someActor()
    const projectId = await projectNamed(actor, 'Garden')
    const [own, foreign] = [await uploaded(actor, 21), await uploaded(someActor(), 22)]
    await conversationIn(
      actor,
      projectId,
      { role: 'user', content: `What is ${own}? And "${own}"?` },
      message(foreign),
    )
    expect(await gallery(actor, projectId)).toMatchObject({ nodes: [], totalCount: 0 })
  })

  it("are not read through another one's project", async () => {
    const { projectId } = await someGallery()
    const { project } = await test.run<{ project: unknown }>(
      someActor(),
      'query ($id: ID!) { project(id: $id) { media { totalCount } } }',
      { id: projectId },
    )
    expect(project).toBeNull()
  })

  it('are found by the items that name any, without a look at the others', async () => {
    const { actor, projectId } = await someGallery()
    const client = await test.services.database.pool.connect()
    try {
      await client.query('begin')
      await client.query(
        `insert into conversations.item (conversation_key, type, role, status, content, details)
         select c.key, 'message', 'user', 'completed', '[{"type":"input_text","text":"Hello"}]', '{}'
         from conversations.conversation c, generate_series(1, 3000) where c.project_id = $1`,
        [projectId],
      )
      await client.query('analyze conversations.item')
      test.takeStatements()
      await gallery(actor, projectId)
      const [statement] = test.takeStatements().filter((sql) => sql.includes('regexp_matches'))
      const { rows } = await client.query(`explain (generic_plan) ${statement}`)
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('item_with_media')
    } finally {
      await client.query('rollback')
      client.release()
    }
  })

  it('cost as many statements for three projects as for six, each paged on its own', async () => {
    const statements: number[] = []
    for (const count of [3, 6]) {
      const actor = someActor()
      const ids = [await uploaded(actor, 31), await uploaded(actor, 32)]
      for (let index = 0; index < count; index++) {
        const projectId = await projectNamed(actor, `P${index}`)
        await conversationIn(actor, projectId, message(...ids.slice(0, index % 3)))
      }
      const text = `{ projects(first: 20, order: ASC) { nodes { media(first: 1) ${galleryFields} } } }`
      await test.run(actor, text)
      test.takeStatements()
      const { projects } = await test.run<{ projects: { nodes: { media: Gallery }[] } }>(actor, text)
      statements.push(test.takeStatements().length)
      expect(projects.nodes.map(({ media }) => [media.nodes.length, media.totalCount])).toEqual(
        projects.nodes.map((_, index) => [Math.min(index % 3, 1), index % 3]),
      )
    }
    expect(statements[1]).toBe(statements[0])
  })

  it('are looked for once, however many conversations lead to the project', async () => {
    const { actor, projectId, first, second, third } = await someGallery()
    for (let index = 0; index < 3; index++) await conversationIn(actor, projectId)
    const query = jest.spyOn(test.services.database.pool, 'query')
    const { conversations } = await test.run<{ conversations: { nodes: { project: { media: Gallery } }[] } }>(
      actor,
      `{ conversations { nodes { project { media ${galleryFields} } } } }`,
    )
    const asked = query.mock.calls.map(([statement]) => statement as { name?: string; values?: unknown[] })
    query.mockRestore()
    const valuesOf = (name: string) => asked.filter((one) => one.name === name).map(({ values }) => values)
    expect(conversations.nodes.map(({ project }) => idsOf(project.media))).toEqual(
      Array(5).fill([third, second, first]),
    )
    expect(valuesOf('media_of_projects')).toEqual([[actor.id, [projectId], 10_000]])
    const lists = JSON.stringify([[third, second, first]])
    expect(valuesOf('media_among_newest')).toEqual([[actor.id, lists, null, 21, 0]])
  })
})
