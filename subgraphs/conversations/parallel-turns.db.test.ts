import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import { newId } from '../../platform/ids.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { turnService } from './service/turns.ts'
import { historySource } from './sources/turn-history.ts'
import { turnStore } from './sources/turn-store.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

const appendTurn = parse(`mutation ($input: AppendTurnInput!) {
  appendTurn(input: $input) { conversation { id title itemCount } userItemId assistantItemId }
}`)

interface Stored {
  readonly conversation: { readonly id: string; readonly title: string; readonly itemCount: number }
  readonly userItemId: string | null
  readonly assistantItemId: string
}

async function append(owner: Actor, question: string, more: object = {}): Promise<Stored> {
  const input = {
    completionId: newId('completion'),
    modelId: 'm',
    userMessage: { role: 'user', content: question },
    status: 'COMPLETED',
    message: { role: 'assistant', content: `answer to ${question}` },
    ...more,
  }
  const { appendTurn: stored } = await test.graph.trusted.execute<{ appendTurn: Stored }, object>(
    appendTurn as never,
    { input },
    test.contextFor(owner),
  )
  return stored
}

const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
  (await test.services.database.pool.query(text, values)).rows as Row[]

/** What is on disk, seen by another connection: the texts of a conversation's items in the order of their positions. */
async function textsOf(id: string): Promise<{ position: number; text: string }[]> {
  return query(
    `select bi.position, i.content -> 0 ->> 'text' as text
    from conversations.conversation c
    join conversations.branch_item bi on bi.branch_key = c.active_branch_key
    join conversations.item i on i.key = bi.item_key
    where c.public_id = $1 order by bi.position`,
    [id],
  )
}

const setItemCount = (id: string, count: number) =>
  query(
    `update conversations.branch b set item_count = $2 from conversations.conversation c
    where c.public_id = $1 and b.key = c.active_branch_key`,
    [id, count],
  )

const codeOf = (result: PromiseSettledResult<Stored>): string =>
  result.status === 'fulfilled' ? 'stored' : (result.reason as { code: string }).code

describe('parallel turns', () => {
  it('of one conversation are stored in the order in which they came', async () => {
    const owner = someActor()
    const { conversation } = await append(owner, 'first')
    const questions = Array.from({ length: 30 }, (_, at) => `question ${at}`)
    const stored = await Promise.all(
      questions.map((question) => append(owner, question, { conversationId: conversation.id })),
    )
    const texts = await textsOf(conversation.id)
    expect(texts.map(({ position }) => position)).toEqual(Array.from({ length: 62 }, (_, at) => at + 1))
    expect(texts.slice(2).map(({ text }) => text)).toEqual(
      questions.flatMap((question) => [question, `answer to ${question}`]),
    )
    expect(stored.map((turn) => turn.conversation.itemCount)).toEqual(questions.map((_, at) => 4 + 2 * at))
  })

  it('of many conversations share statements, and are on disk when they are acknowledged', async () => {
    const owners = [someActor(), someActor()] as const
    const ownerOf = (at: number) => owners[at % 2 === 0 ? 0 : 1]
    const begun = await Promise.all(Array.from({ length: 20 }, (_, at) => append(ownerOf(at), `topic ${at}`)))
    test.takeStatements()
    await Promise.all(
      begun.map(async ({ conversation: { id } }, at) => {
        const stored = await append(ownerOf(at), `more ${at}`, { conversationId: id })
        expect(stored.conversation).toEqual({ id, title: `topic ${at}`, itemCount: 4 })
        expect((await textsOf(id)).at(-1)).toEqual({ position: 4, text: `answer to more ${at}` })
      }),
    )
    const stores = test.takeStatements().filter((sql) => sql.includes('store_turn'))
    expect(stores.length).toBeGreaterThan(0)
    expect(stores.length).toBeLessThan(10)
  })

  it('never go beyond the limit of a branch', async () => {
    const owner = someActor()
    const { conversation } = await append(owner, 'first')
    await setItemCount(conversation.id, 9_995)
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => append(owner, `q${at}`, { conversationId: conversation.id })),
    )
    expect(results.map(codeOf)).toEqual(['stored', 'stored', ...Array(8).fill('conversation_full')])
    expect((await textsOf(conversation.id)).map(({ position }) => position)).toEqual([
      1, 2, 9_996, 9_997, 9_998, 9_999,
    ])
    expect(await append(owner, '', { conversationId: conversation.id, userMessage: null })).toMatchObject({
      conversation: { itemCount: 10_000 },
      userItemId: null,
    })
  })

  it('fail and succeed each for itself', async () => {
    const owner = someActor()
    const { conversation } = await append(owner, 'mine')
    const foreign = await append(someActor(), 'not mine')
    const full = await append(owner, 'full')
    await setItemCount(full.conversation.id, 10_000)
    const completionId = newId('completion')
    const kept = await append(owner, 'kept', { completionId })
    const before = await query<{ count: string }>('select count(*) from conversations.conversation')

    const results = await Promise.allSettled([
      append(owner, 'good', { conversationId: conversation.id }),
      append(owner, 'foreign', { conversationId: foreign.conversation.id }),
      append(owner, 'full', { conversationId: full.conversation.id }),
      append(owner, 'no branch', { conversationId: conversation.id, branch: 'no' }),
      append(owner, 'no branch of a new one', { branch: 'no' }),
      append(owner, 'again', { completionId }),
      append(owner, 'better', { conversationId: conversation.id }),
    ])
    expect(results.map(codeOf)).toEqual([
      'stored',
      'conversation_not_found',
      'conversation_full',
      'not_found',
      'not_found',
      'stored',
      'stored',
    ])
    expect(results[5]).toMatchObject({ value: { assistantItemId: kept.assistantItemId } })
    expect((await textsOf(conversation.id)).map(({ text }) => text)).toEqual([
      'mine',
      'answer to mine',
      'good',
      'answer to good',
      'better',
      'answer to better',
    ])
    expect(await textsOf(foreign.conversation.id)).toHaveLength(2)
    expect(await query('select count(*) from conversations.conversation')).toEqual(before)
  })

  it('do not wait for a conversation that somebody else holds', async () => {
    const owner = someActor()
    const held = await append(owner, 'held')
    const free = await append(owner, 'free')
    const other = await test.services.database.pool.connect()
    try {
      await other.query('begin')
      await other.query('select from conversations.conversation where public_id = $1 for update', [
        held.conversation.id,
      ])
      let isStored = false
      const waiting = append(owner, 'one', { conversationId: held.conversation.id }).then(() => {
        isStored = true
      })
      const next = append(owner, 'two', { conversationId: held.conversation.id })
      await append(owner, 'passes', { conversationId: free.conversation.id })
      expect(isStored).toBe(false)
      await other.query('commit')
      await Promise.all([waiting, next])
    } finally {
      other.release()
    }
    expect((await textsOf(held.conversation.id)).map(({ text }) => text)).toEqual(
      ['held', 'one', 'two'].flatMap((question) => [question, `answer to ${question}`]),
    )
  })

  it('are stored once where the answer to the statement is lost after its commit', async () => {
    const database = await test.services.database.attach({
      name: 'conversations',
      entities: [],
      migrations: [],
    })
    let losses = 0
    const losing: SubgraphDatabase = {
      fork: database.fork,
      async prepared<Row>(name: string, text: string, values: readonly unknown[]) {
        const rows = await database.prepared<Row>(name, text, values)
        if (name !== 'store_turns' || losses > 0) return rows
        losses += 1
        throw new Error('Connection terminated unexpectedly')
      },
    }
    const owner = someActor()
    const { conversation } = await append(owner, 'first')
    const histories = historySource(database)
    const changes = { tell: () => undefined, tellGrowth: () => undefined }
    const turns = turnService({
      actor: owner,
      database,
      histories,
      store: turnStore(losing, 500),
      changes,
      maxBranches: 500,
    })
    const turn = (question: string, conversationId: string | null) => ({
      completionId: newId('completion'),
      conversationId,
      modelId: 'm',
      userMessage: { role: 'user', content: question },
      status: 'COMPLETED' as const,
      message: { role: 'assistant', content: `answer to ${question}` },
    })
    const [known, begun] = await Promise.all([
      turns.append(turn('second', conversation.id)),
      turns.append(turn('new', null)),
    ])
    expect(losses).toBe(1)
    expect(known.conversationId).toBe(conversation.id)
    expect(await textsOf(conversation.id)).toHaveLength(4)
    expect((await textsOf(begun.conversationId)).map(({ text }) => text)).toEqual(['new', 'answer to new'])
    const own = 'select count(*) from conversations.conversation where owner_id = $1'
    expect(await query(own, [owner.id])).toEqual([{ count: '2' }])
  })

  it('keep what PostgreSQL could not take out of JSON', async () => {
    const owner = someActor()
    const odd = 'nul \u0000, half \ud83d, quote ", backslash \\u0041'
    const { conversation } = await append(owner, odd)
    const read = parse('query ($input: TurnContextInput!) { turnContext(input: $input) { messages } }')
    const { turnContext } = await test.graph.trusted.execute<{ turnContext: { messages: object[] } }, object>(
      read as never,
      { input: { conversationId: conversation.id } },
      test.contextFor(owner),
    )
    expect(turnContext.messages).toEqual([
      { role: 'user', content: odd },
      { role: 'assistant', content: `answer to ${odd}` },
    ])
  })

  it('find every row by its key, also in tables that were empty when the plans were made', async () => {
    const read = parse('query ($input: TurnContextInput!) { turnContext(input: $input) { messages } }')
    const owner = someActor()
    const scanned = async () =>
      (
        await query<{ rows: string }>(
          `select sum(seq_tup_read) as rows from pg_stat_user_tables where schemaname = 'conversations' and relname not like 'search%'`,
        )
      )[0]?.rows
    const fresh = await startTestGraph()
    const shared = test
    test = fresh
    try {
      for (let round = 0; round < 12; round += 1) {
        const { conversation } = await append(owner, `round ${round}`)
        await Promise.all(
          [1, 2, 3].map(async (at) => {
            await append(owner, `q${at}`, { conversationId: conversation.id })
            const input = { conversationId: conversation.id }
            await fresh.graph.trusted.execute(read as never, { input }, fresh.contextFor(owner))
          }),
        )
      }
      // connections tell their statistics when they fall idle, at most once a second
      await fresh.services.database.pool.query('select pg_sleep(1.1)')
      await Promise.all(Array.from({ length: 10 }, (_, at) => append(owner, `last ${at}`)))
      await fresh.services.database.pool.query('select pg_stat_clear_snapshot()')
      expect(Number(await scanned())).toBeLessThan(200)
    } finally {
      test = shared
      await fresh.stop()
    }
  })
})
