import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { type Database, openDatabase, type SubgraphDatabase } from './db.ts'
import { createTestDatabase, type TestDatabase } from './testing/test-database.ts'

let testDatabase: TestDatabase
let database: Database
let subgraph: SubgraphDatabase

beforeEach(async () => {
  testDatabase = await createTestDatabase()
  // One connection: whoever keeps it, stops everybody.
  database = openDatabase({ url: testDatabase.url, poolSize: 1, log: pino({ level: 'silent' }) })
  subgraph = await database.attach({ name: 'public', entities: [], migrations: [] })
})

afterEach(async () => {
  await database.close()
  await testDatabase.drop()
})

/** Ends every connection to the test's database from another process, while this one hears nothing of it. */
function endConnections(): void {
  const program = `
    import pg from 'pg'
    const client = new pg.Client({ connectionString: process.argv[1] })
    await client.connect()
    await client.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')
    await client.end()`
  execFileSync(process.execPath, ['--input-type=module', '--eval', program, testDatabase.url])
}

/** A connection that was kept would make this wait for ever, a dead one that is lent again would make it fail. */
async function answers(): Promise<boolean> {
  const rows = await subgraph.fork().execute<{ one: number }[]>('select 1 as one')
  return rows[0]?.one === 1
}

describe('a pool whose server goes away', () => {
  it('keeps no connection when a transaction cannot begin', async () => {
    await answers()
    endConnections()
    await expect(subgraph.fork().transactional(async () => undefined)).rejects.toThrow()
    expect(await answers()).toBe(true)
  })

  it('keeps no connection when a transaction can neither commit nor roll back', async () => {
    const cut = subgraph.fork().transactional(async (em) => {
      await em.execute('select 1')
      endConnections()
    })
    await expect(cut).rejects.toThrow()
    expect(await answers()).toBe(true)
  })

  it('gives a connection back once when a transaction is rolled back by its own work', async () => {
    const failed = subgraph.fork().transactional(async (em) => {
      await em.execute('select 1')
      throw new Error('on purpose')
    })
    await expect(failed).rejects.toThrow('on purpose')
    expect(await answers()).toBe(true)
    expect(database.pool.idleCount).toBe(1)
  })
})
