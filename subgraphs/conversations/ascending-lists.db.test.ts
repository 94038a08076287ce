import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Actor } from '../../platform/actor.ts'
import { newId } from '../../platform/ids.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

/** Another process, which is in the middle of making a conversation. */
let other: pg.Client
beforeEach(async () => {
  other = new pg.Client({ connectionString: test.services.database.url })
  await other.connect()
  await other.query('begin')
})
afterEach(() => other.end())

async function create(actor: Actor, title: string, projectId: string | null = null): Promise<void> {
  const text = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }'
  await test.run(actor, text, { input: { title, projectId } })
}

async function createProject(actor: Actor): Promise<string> {
  const text = 'mutation { createProject(input: { name: "P" }) { id } }'
  return (await test.run<{ createProject: { id: string } }>(actor, text)).createProject.id
}

/** Takes a key in the other process's transaction, as every statement that makes a conversation does. */
async function beginElsewhere(actor: Actor, title: string, projectId: string | null = null): Promise<void> {
  await other.query(
    `with main as (select nextval('conversations.branch_key_seq') as key), c as (
       insert into conversations.conversation (public_id, owner_id, title, project_id, active_branch_key)
       select $1, $2, $3, $4, main.key from main returning key, active_branch_key
     )
     insert into conversations.branch (key, conversation_key, name) select active_branch_key, key, 'MAIN' from c`,
    [newId('conversation'), actor.id, title, projectId],
  )
}

interface List {
  readonly nodes: readonly { readonly title: string }[]
  readonly pageInfo: { readonly endCursor: string | null }
}

const fields = '{ nodes { title } pageInfo { endCursor } }'
const listOf = async (actor: Actor, args: string): Promise<List> =>
  (await test.run<{ conversations: List }>(actor, `{ conversations(${args}) ${fields} }`)).conversations
const titlesOf = ({ nodes }: List) => nodes.map(({ title }) => title)

/** What a list gives whose reader is seen waiting, or is done already, when the other process goes on. */
async function readWhile(reading: Promise<List>, goOn: () => Promise<unknown>): Promise<string[]> {
  let isDone = false
  const done = reading.finally(() => {
    isDone = true
  })
  while (!isDone && !(await isWaiting())) await sleep(5)
  await goOn()
  return titlesOf(await done)
}

/** Whether somebody has been seen to wait for those who make conversations. */
const isWaiting = async () => (await readersWhere("wait_event = 'PgSleep'")) > 0

/** On how many connections somebody waits, asleep or just looking again. */
const waiting = () => readersWhere("state = 'active'")

async function readersWhere(condition: string): Promise<number> {
  const { rows } = await test.services.database.pool.query(
    `select 1 from pg_stat_activity
     where datname = current_database() and query like '%settled_key()%' and pid <> pg_backend_pid() and ${condition}`,
  )
  return rows.length
}

describe('a list of conversations, oldest first', () => {
  it.each(['order: ASC', 'order: ASC, referrer: null, archived: false', 'order: ASC, first: 2'])(
    'passes over none that was being made beside a newer one: %s',
    async (args) => {
      const actor = someActor()
      await beginElsewhere(actor, 'older')
      await create(actor, 'newer')
      await create(actor, 'newest')
      const titles = await readWhile(listOf(actor, args), () => other.query('commit'))
      expect(titles).toEqual(['older', 'newer', 'newest'].slice(0, args.includes('first') ? 2 : 3))
    },
  )

  it('of a project passes over none either', async () => {
    const actor = someActor()
    const projectId = await createProject(actor)
    await beginElsewhere(actor, 'older', projectId)
    await create(actor, 'newer', projectId)
    const byFilter = listOf(actor, `order: ASC, projectId: "${projectId}"`)
    const text = `{ projects { nodes { conversations(order: ASC) ${fields} } } }`
    const inProject = test.run<{ projects: { nodes: { conversations: List }[] } }>(actor, text)
    expect(await readWhile(byFilter, () => other.query('commit'))).toEqual(['older', 'newer'])
    const [project] = (await inProject).projects.nodes
    expect(project && titlesOf(project.conversations)).toEqual(['older', 'newer'])
  })

  it('does not wait for what is begun later, nor for ever for what comes to nothing', async () => {
    const actor = someActor()
    await beginElsewhere(actor, 'comes to nothing')
    await create(actor, 'newer')
    const later = new pg.Client({ connectionString: test.services.database.url })
    await later.connect()
    try {
      const titles = await readWhile(listOf(actor, 'order: ASC'), async () => {
        await later.query('begin')
        await later.query(
          "select nextval('conversations.conversation_key_seq'), pg_advisory_xact_lock_shared(7461002)",
        )
        await other.query('rollback')
      })
      expect(titles).toEqual(['newer'])
    } finally {
      await later.end()
    }
  })

  it('waits on one connection, however many do, and keeps others from none', async () => {
    const actor = someActor()
    await beginElsewhere(actor, 'older')
    await create(actor, 'newer')
    let done = 0
    const lists = Array.from({ length: 40 }, async () => {
      const titles = titlesOf(await listOf(actor, 'order: ASC'))
      done += 1
      return titles
    })
    while (done === 0 && !(await isWaiting())) await sleep(5)
    expect(titlesOf(await listOf(actor, 'order: DESC'))).toEqual(['newer'])
    expect([await waiting(), done]).toEqual([1, 0])
    await other.query('commit')
    for (const titles of await Promise.all(lists)) expect(titles).toEqual(['older', 'newer'])
  })

  it('is read on without repetition or gap while many are made', async () => {
    const actor = someActor()
    await other.query('rollback')
    const titles = Array.from({ length: 60 }, (_, at) => `${at}`)
    const making = Promise.all(titles.map((title) => create(actor, title)))
    const seen: string[] = []
    let after = ''
    const readOn = async () => {
      const list = await listOf(actor, `order: ASC, first: 4${after}`)
      seen.push(...titlesOf(list))
      if (list.pageInfo.endCursor !== null) after = `, after: "${list.pageInfo.endCursor}"`
      return list.nodes.length
    }
    let isMade = false
    void making.then(() => {
      isMade = true
    })
    while (!isMade) await readOn()
    while ((await readOn()) > 0);
    expect(seen.toSorted()).toEqual(titles.toSorted())
  })
})

describe('a list of conversations, newest first', () => {
  it('waits for nobody', async () => {
    const actor = someActor()
    await beginElsewhere(actor, 'being made')
    await create(actor, 'newer')
    expect(titlesOf(await listOf(actor, 'order: DESC'))).toEqual(['newer'])
  })
})
