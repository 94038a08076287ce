import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { type Database, type Migration, openDatabase } from './db.ts'
import { createLogger } from './log.ts'
import type { MigrationPatience } from './migrations.ts'
import { createTestDatabase, type TestDatabase } from './testing/test-database.ts'

const table: Migration = { name: '0001_table', sql: 'create table garden.tree (name text)' }
const column: Migration = { name: '0002_column', sql: 'alter table garden.tree add column height integer' }

let testDatabase: TestDatabase
let holder: pg.Client
let reader: pg.Client
const databases: Database[] = []
beforeEach(async () => {
  testDatabase = await createTestDatabase()
  ;[holder, reader] = [await connected(), await connected()]
})
afterEach(async () => {
  await Promise.all([holder.end(), reader.end(), ...databases.splice(0).map((database) => database.close())])
  await testDatabase.drop()
})

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: testDatabase.url })
  await client.connect()
  return client
}

/** A start of the version that has these migrations. */
async function startOf(migrations: readonly Migration[], migrationPatience: MigrationPatience) {
  const log = createLogger({ level: 'silent', format: 'json' })
  const database = openDatabase({ url: testDatabase.url, poolSize: 2, log, migrationPatience })
  databases.push(database)
  await database.attach({ name: 'garden', entities: [], migrations })
  return database
}

const applied = async () =>
  (await reader.query<{ name: string }>('select name from garden.schema_migration order by id')).rows.map(
    ({ name }) => name,
  )

/** Until some statement of this database waits for a lock. */
async function somebodyWaits(): Promise<void> {
  const waiting =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await reader.query(waiting)).rows.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('migrations of a table that a long statement keeps', () => {
  it('give way to others, and come about when it has ended, once', async () => {
    await (await startOf([table], {})).migrate()
    await holder.query('begin')
    await holder.query('select from garden.tree')
    const migrating = (await startOf([table, column], { lockTimeoutMs: 1_000, restMs: 100 })).migrate()
    await somebodyWaits()
    // stands in the queue behind the migration, which would go on only after the holder
    expect((await reader.query('select from garden.tree')).rows).toEqual([])
    await holder.query('commit')
    await migrating
    expect((await reader.query('select height from garden.tree')).rows).toEqual([])
    expect(await applied()).toEqual(['0001_table', '0002_column'])
  })

  it('fail where it does not end, and leave all as it was', async () => {
    await (await startOf([table], {})).migrate()
    await holder.query('begin')
    await holder.query('select from garden.tree')
    const impatient = await startOf([table, column], { lockTimeoutMs: 50, restMs: 10, attempts: 3 })
    await expect(impatient.migrate()).rejects.toThrow(/lock timeout/)
    expect(await applied()).toEqual(['0001_table'])
    await holder.query('commit')
    await impatient.migrate()
    expect(await applied()).toEqual(['0001_table', '0002_column'])
  })
})
