import { execFileSync } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { type Database, openDatabase, type SubgraphDatabase } from './db.ts'
import { startRawServer } from './testing/raw-server.ts'
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

describe('a pool that is closed while it is used', () => {
  it('waits for a statement that has no connection yet, and closes', async () => {
    const twins = openDatabase({ url: testDatabase.url, poolSize: 2, log: pino({ level: 'silent' }) })
    const late = await twins.attach({ name: 'public', entities: [], migrations: [] })
    await late.fork().execute('select 1')
    // The only open connection is taken: the statement has to wait for one of its own.
    const taken = await twins.pool.connect()
    const reading = late.fork().execute('select 1 as one')
    while (twins.pool.totalCount < 2) await nextTurn()
    const closed = twins.close()
    expect(await reading).toEqual([{ one: 1 }])
    taken.release()
    await closed
    expect(twins.pool.totalCount).toBe(0)
  })

  it('closes too where the ORM was never used', async () => {
    const unused = openDatabase({ url: testDatabase.url, poolSize: 1, log: pino({ level: 'silent' }) })
    await unused.ping()
    await unused.close()
    expect(unused.pool.totalCount).toBe(0)
  })

  it('closes while it waits for a server that takes connections and says nothing', async () => {
    const silent = await startRawServer(() => undefined)
    const url = `postgres://jan@127.0.0.1:${silent.port}/jan`
    const deaf = openDatabase({ url, poolSize: 1, connectMs: 100, log: pino({ level: 'silent' }) })
    const asked = deaf.ping().catch((error: Error) => error.message)
    await deaf.close()
    expect(await asked).toBe('timeout expired')
    await silent.close()
  })
})
