import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../../../platform/testing/test-database.ts'
import { generatedTitles } from './0008-generated-titles.ts'
import { keysToldWhileGiven } from './0015-keys-told-while-given.ts'

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createTestDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

interface Row {
  readonly title: string | null
  readonly xmin: string
  readonly title_given: boolean
}
const rows = async (columns: string) =>
  (await client.query<Row>(`select title, xmin, ${columns} from conversations.conversation order by key`))
    .rows

async function waitsForLock(): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from pg_locks where not granted and relation = 'conversations.conversation'::regclass`,
  )
  return rows.length > 0
}

describe('migrations of tables that are in use', () => {
  it('take titles that are there for given, and rewrite no row for it', async () => {
    await client.query(`
      alter table conversations.conversation drop column title_given, drop column title_messages;
      with conversation as (
        insert into conversations.conversation (public_id, owner_id, title, active_branch_key)
        select 'conv_' || n, gen_random_uuid(), title, n
        from unnest(array['Trees', null, ' New Conversation']) with ordinality as given (title, n)
        returning key, active_branch_key
      )
      insert into conversations.branch (key, conversation_key, name) select active_branch_key, key, 'MAIN' from conversation`)
    const [before] = await rows('null')
    await client.query(generatedTitles.sql)
    const after = await rows('title_given')
    expect(after.map(({ title, title_given }) => [title, title_given])).toEqual([
      ['Trees', true],
      [null, false],
      [' New Conversation', false],
    ])
    expect(after[0]?.xmin).toBe(before?.xmin)
    const { rows: defaults } = await client.query(`
      select column_default from information_schema.columns
      where table_schema = 'conversations' and table_name = 'conversation' and column_name = 'title_given'`)
    expect(defaults).toEqual([{ column_default: 'false' }])
  })

  it('hold for new rows what nobody has to read the old ones for', async () => {
    const { rows: checks } = await client.query(
      `select convalidated from pg_constraint where conname = 'item_rating_check'`,
    )
    expect(checks).toEqual([{ convalidated: false }])
    const rated = client.query(`
      insert into conversations.item (conversation_key, type, status, content, details, rating)
      select key, 'message', 'completed', '[]', '{}', 'meh' from conversations.conversation limit 1`)
    await expect(rated).rejects.toThrow('item_rating_check')
  })

  it('go on with the keys of conversations where they were, and tell who takes one', async () => {
    await client.query(`
      drop function conversations.settled_key(), conversations.key_takers(interval);
      alter table conversations.conversation alter key drop default;
      drop sequence conversations.conversation_key_seq;
      alter table conversations.conversation alter key add generated always as identity (start with 4000000000)`)
    const insert = `
      insert into conversations.conversation (public_id, owner_id, active_branch_key)
      values ($1, gen_random_uuid(), 1) returning key`
    const keyOf = async (id: string) =>
      Number((await client.query<{ key: string }>(insert, [id])).rows[0]?.key)
    const takers = async (patience = '1 hour') =>
      (await client.query('select * from conversations.key_takers($1)', [patience])).rowCount
    await client.query('begin')
    await keyOf('conv_before')
    const migrator = new pg.Client({ connectionString: database.url })
    await migrator.connect()
    const migrated = migrator.query(keysToldWhileGiven.sql)
    while (!(await waitsForLock())) await sleep(5)
    const before = await keyOf('conv_meanwhile')
    await client.query('commit')
    await migrated
    await migrator.end()
    await client.query('begin')
    expect(await takers()).toBe(0)
    expect(await keyOf('conv_after')).toBeGreaterThan(before)
    expect(await keyOf('conv_later')).toBeGreaterThan(before)
    expect(await takers()).toBe(1)
    expect(await takers('0 seconds')).toBe(0)
    await client.query('commit')
    expect(await takers()).toBe(0)
    const settled = await client.query(
      'select conversations.settled_key() = max(key) as is_newest from conversations.conversation',
    )
    expect(settled.rows).toEqual([{ is_newest: true }])
  })
})
