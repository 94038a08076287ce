import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { newId } from '../../platform/ids.ts'
import { branchRows, faultsOf } from '../../platform/testing/branch-tree.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

const maxBranches = 4

let test: TestGraph
const owner = someActor()
beforeAll(async () => {
  test = await startTestGraph({ CONVERSATION_MAX_BRANCHES: String(maxBranches) })
})
afterAll(() => test.stop())

interface Failure {
  readonly code: unknown
  readonly param: unknown
  readonly message: string
}

const run = async <Result>(
  text: string,
  variables: object,
): Promise<{ data: Result; error: Failure | null }> => {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(owner),
  })
  const [error] = errors ?? []
  const { code, param } = error?.extensions ?? {}
  return { data: data as Result, error: error ? { code, param, message: error.message } : null }
}

const talk = [
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'b' },
]

/** A conversation with so many branches, and the id of its question. */
const conversationOf = async (branches: number) => {
  const { data } = await run<{ createConversation: { id: string; items: { nodes: { id: string }[] } } }>(
    'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id items(order: ASC) { nodes { id } } } }',
    { input: { items: talk } },
  )
  const { id: conversationId, items } = data.createConversation
  for (let made = 1; made < branches; made += 1)
    expect((await fork(conversationId, `fork ${made}`)).error).toBeNull()
  return { conversationId, itemId: items.nodes[0]?.id ?? '' }
}

const fork = (conversationId: string, name: string) =>
  run('mutation ($input: CreateBranchInput!) { createBranch(input: $input) { name } }', {
    input: { conversationId, name },
  })

type Target = Awaited<ReturnType<typeof conversationOf>>

const turn = { modelId: 'm', status: 'COMPLETED', message: { role: 'assistant', content: 'c' } }

/** @param completionId the one that is stored; another one each time unless given */
const forkedTurn = async (target: Target, completionId = newId('completion')): Promise<Failure | null> => {
  const input = {
    ...turn,
    completionId,
    conversationId: target.conversationId,
    fork: { itemId: target.itemId },
  }
  const text =
    'mutation ($input: AppendTurnInput!) { appendTurn(input: $input) { branch assistantItemId oldMainBackup } }'
  return test.graph.trusted.execute(parse(text) as never, { input }, test.contextFor(owner)).then(
    () => null,
    ({ code, param, message }: Failure) => ({ code, param, message }),
  )
}

const context = async ({ conversationId, itemId }: Target): Promise<Failure | null> => {
  const text = 'query ($input: TurnContextInput!) { turnContext(input: $input) { branch } }'
  const input = { conversationId, fork: { itemId } }
  return test.graph.trusted.execute(parse(text) as never, { input }, test.contextFor(owner)).then(
    () => null,
    ({ code, param, message }: Failure) => ({ code, param, message }),
  )
}

const ways: [string, (target: Target) => Promise<Failure | null>][] = [
  ['a fork', async ({ conversationId }) => (await fork(conversationId, 'another')).error],
  [
    'an edit',
    async (target) =>
      (
        await run('mutation ($input: EditItemInput!) { editItem(input: $input) { branch } }', {
          input: { ...target, content: 'c' },
        })
      ).error,
  ],
  [
    'a regeneration',
    async (input) =>
      (
        await run(
          'mutation ($input: PrepareRegenerationInput!) { prepareRegeneration(input: $input) { branch } }',
          { input },
        )
      ).error,
  ],
  [
    'a deleted item',
    async (input) =>
      (await run('mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { branch } }', { input }))
        .error,
  ],
  ['a turn that forks', (target) => forkedTurn(target)],
]

const full = {
  code: 'conversation_full',
  param: 'conversation',
  message: `A conversation has at most ${maxBranches} branches: delete one first.`,
}

describe('branches of a conversation', () => {
  it.each(ways)('have a limit that %s may reach, and not pass', async (_, make) => {
    const target = await conversationOf(maxBranches - 1)
    expect(await make(target)).toBeNull()
    const fullAlready = await conversationOf(maxBranches)
    expect(await make(fullAlready)).toEqual(full)
    const rows = await branchRows(test.services.database.pool, fullAlready.conversationId)
    expect(rows).toHaveLength(maxBranches)
    expect(faultsOf(rows)).toEqual([])
  })

  it('have room again when one is deleted', async () => {
    const { conversationId } = await conversationOf(maxBranches)
    await run('mutation ($input: BranchInput!) { deleteBranch(input: $input) { name } }', {
      input: { conversationId, name: 'fork 1' },
    })
    expect((await fork(conversationId, 'another')).error).toBeNull()
  })

  it('are not passed by turns that fork at the same time', async () => {
    const target = await conversationOf(1)
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => forkedTurn(target)))
    expect(outcomes.filter((failure) => failure === null)).toHaveLength(maxBranches - 1)
    expect(await branchRows(test.services.database.pool, target.conversationId)).toHaveLength(maxBranches)
  })

  it('are counted before a model is asked, and not against a turn that is stored already', async () => {
    const target = await conversationOf(maxBranches - 1)
    const completionId = newId('completion')
    expect(await context(target)).toBeNull()
    expect(await forkedTurn(target, completionId)).toBeNull()
    expect(await context(target)).toEqual(full)
    expect(await forkedTurn(target, completionId)).toBeNull()
    expect(await branchRows(test.services.database.pool, target.conversationId)).toHaveLength(maxBranches)
  })
})
