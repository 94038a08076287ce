import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Actor } from '../../platform/actor.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

/** Projects `P0`, `P1` ... of which each has three conversations, except that the first has none. */
async function projectsOf(actor: Actor, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { createProject } = await test.run<{ createProject: { id: string } }>(
      actor,
      'mutation ($name: String!) { createProject(input: { name: $name }) { id } }',
      { name: `P${index}` },
    )
    for (let place = 0; index > 0 && place < 3; place++) {
      await test.run(
        actor,
        'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
        { input: { title: `${index} ${place}`, projectId: createProject.id } },
      )
    }
  }
}

interface Lists {
  readonly projects: {
    readonly nodes: {
      readonly name: string
      readonly conversations: {
        readonly nodes: { readonly id: string; readonly title: string }[]
        readonly totalCount: number
        readonly pageInfo: { readonly hasNextPage: boolean }
      }
    }[]
  }
}

const lists = (args: string) => `{ projects(first: 50, order: ASC) { nodes { name conversations${args} {
  nodes { id title } totalCount pageInfo { hasNextPage }
} } } }`

const titlesOf = ({ projects }: Lists) =>
  projects.nodes.map(({ conversations }) => conversations.nodes.map(({ title }) => title))

/** What the process does in the background at that moment is no matter. */
const isOfLists = (sql: string) => /settled_key|^select "[cp]"\.|group by project_id/.test(sql.trim())

describe('the conversations of many projects', () => {
  it.each(['', '(order: ASC)'])('cost as many statements for two projects as for twelve%s', async (args) => {
    const statements: number[] = []
    for (const count of [2, 12]) {
      const actor = someActor()
      await projectsOf(actor, count)
      await test.run<Lists>(actor, lists(args))
      test.takeStatements()
      const { projects } = await test.run<Lists>(actor, lists(args))
      statements.push(test.takeStatements().filter(isOfLists).length)
      expect(projects.nodes.map(({ conversations }) => conversations.totalCount)).toEqual([
        0,
        ...Array(count - 1).fill(3),
      ])
    }
    expect(statements[0]).toBeGreaterThan(1)
    expect(statements[1]).toBe(statements[0])
  })

  it('are paged for each project on its own', async () => {
    const actor = someActor()
    await projectsOf(actor, 3)
    const newest = await test.run<Lists>(actor, lists('(first: 2)'))
    expect(titlesOf(newest)).toEqual([[], ['1 2', '1 1'], ['2 2', '2 1']])
    expect(newest.projects.nodes.map(({ conversations }) => conversations.pageInfo.hasNextPage)).toEqual([
      false,
      true,
      true,
    ])
    expect(titlesOf(await test.run(actor, lists('(first: 1, offset: 1, order: ASC)')))).toEqual([
      [],
      ['1 1'],
      ['2 1'],
    ])
    const after = newest.projects.nodes[1]?.conversations.nodes[0]?.id
    expect(titlesOf(await test.run(actor, lists(`(after: "${after}")`)))).toEqual([[], ['1 1', '1 0'], []])
  })
})
