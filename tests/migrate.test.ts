import { afterAll, beforeAll, expect, it } from '@jest/globals'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../platform/testing/test-database.ts'
import { startProgram } from './program.ts'

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

it('npm run migrate makes the tables that are missing, and ends; again it changes nothing', async () => {
  await client.query('drop schema projects cascade')
  const env = { DATABASE_URL: database.url, JAN_SECRET: 'a root secret for tests only' }
  for (let run = 0; run < 2; run++) {
    const program = startProgram(['node', 'wiring/main.js', 'migrate'], { env })
    expect({ ended: await program.ended, output: program.output() }).toEqual({
      ended: 0,
      output: expect.stringContaining('is up to date'),
    })
    const { rows } = await client.query("select to_regclass('projects.project') is not null as there")
    expect(rows).toEqual([{ there: true }])
  }
})
