import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import { type Database, openDatabase, type SubgraphDatabase } from '../../platform/db.ts'
import { createLogger } from '../../platform/log.ts'
import { createTestDatabase, type TestDatabase } from '../../platform/testing/test-database.ts'
import { indexChanges, indexChangesOf } from './sources/search-index.ts'

const owner = '7912b317-c0b5-432d-8020-10e910b0aebb'

let empty: TestDatabase
let opened: Database
let database: SubgraphDatabase
beforeAll(async () => {
  empty = await createTestDatabase()
  const log = createLogger({ level: 'silent', format: 'json' })
  opened = openDatabase({ url: empty.url, poolSize: 4, log })
  database = await opened.attach({ name: 'conversations', entities: [], migrations: [] })
})
afterAll(async () => {
  await opened.close()
  await empty.drop()
})

/** Conversations with these titles, which nobody has indexed yet. */
async function titled(...titles: string[]): Promise<string[]> {
  const { rows } = await opened.pool.query<{ key: string }>(
    `with given as (
       select title, nextval(pg_get_serial_sequence('conversations.branch', 'key')) as branch from unnest($2::text[]) title
     ), made as (
       insert into conversations.conversation (public_id, owner_id, title, active_branch_key)
       select 'conv_' || gen_random_uuid(), $1, title, branch from given returning key, active_branch_key
     )
     insert into conversations.branch (key, conversation_key, name)
     select active_branch_key, key, 'MAIN' from made returning conversation_key as key`,
    [owner, titles],
  )
  return rows.map(({ key }) => key)
}

/** A message in a conversation: another change that is not indexed yet. */
const said = (key: string, text: string) =>
  opened.pool.query(
    `insert into conversations.item (conversation_key, type, role, status, details, content)
     values ($1, 'message', 'user', 'completed', '{}', json_build_array(json_build_object('type', 'input_text', 'text', $2::text)))`,
    [key, text],
  )

const retitle = (key: string, title: string) =>
  opened.pool.query('update conversations.conversation set title = $2 where key = $1', [key, title])

const count = async (table: string, key: string): Promise<number> => {
  const { rows } = await opened.pool.query<{ count: number }>(
    `select count(*)::integer as count from conversations.${table} where conversation_key = $1`,
    [key],
  )
  return rows[0]?.count ?? 0
}

/** Until somebody waits for a lock of this connection's. */
async function isWaitedFor(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  for (;;) {
    const waiting = await opened.pool.query(
      'select from pg_stat_activity where $1 = any(pg_blocking_pids(pid))',
      [rows[0]?.pid],
    )
    if (waiting.rows.length > 0) return
    await sleep(10)
  }
}

describe('indexing for search', () => {
  it('and erasing wait for each other in one order, and nothing is written for what was erased', async () => {
    const [erased, kept] = await titled('erased', 'kept')
    if (!erased || !kept) throw new Error('There are no conversations.')
    await indexChanges(database)
    await retitle(erased, 'erased soon')
    await said(erased, 'a message')
    await retitle(kept, 'kept for good')
    const erasing = await opened.pool.connect()
    try {
      await erasing.query('begin')
      await erasing.query('select from conversations.conversation where key = $1 for update', [erased])
      const indexing = indexChangesOf(database, owner)
      await isWaitedFor(erasing)
      await erasing.query('delete from conversations.conversation where key = $1', [erased])
      await erasing.query('commit')
      await indexing
    } finally {
      // closes the connection: a failure above may have left its transaction open
      erasing.release(true)
    }
    expect(await count('search_entry', erased)).toBe(0)
    expect(await count('search_pending', erased)).toBe(0)
    const { rows } = await opened.pool.query(
      "select from conversations.search_entry where conversation_key = $1 and vector @@ 'good'",
      [kept],
    )
    expect(rows).toHaveLength(1)
  })

  it('begins anew where PostgreSQL has ended it for a deadlock, but not for ever', async () => {
    let deadlocks = 0
    const meeting = (times: number): SubgraphDatabase => ({
      ...database,
      fork: database.fork,
      async prepared<Row>(name: string, text: string, values: readonly unknown[]) {
        if (name !== 'search_entry_changes' || deadlocks === times)
          return database.prepared<Row>(name, text, values)
        deadlocks += 1
        return deadlocked()
      },
    })
    const [key] = await titled('met')
    await indexChangesOf(meeting(2), owner)
    expect(deadlocks).toBe(2)
    expect(await count('search_entry', key ?? '')).toBe(1)
    await titled('met again')
    await expect(indexChangesOf(meeting(1_000), owner)).rejects.toMatchObject({ code: '40P01' })
    expect(deadlocks).toBeLessThan(20)
  })

  /** A deadlock of PostgreSQL's own. */
  async function deadlocked(): Promise<never> {
    await opened.pool.query("do $$ begin raise exception 'deadlock detected' using errcode = '40P01'; end $$")
    throw new Error('That was no deadlock.')
  }
})
