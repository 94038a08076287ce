import pg from 'pg'
import { randomDigits } from '../ids.ts'

/** A database of its own on the PostgreSQL that the test run started. */
export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** The variables in which the run's global set-up leaves the server's URL and the name of the migrated template. */
const serverVariable = 'JAN_TEST_DATABASE_URL'
const templateVariable = 'JAN_TEST_TEMPLATE'

/** A database with every migration run and no row. @throws Error outside a test run that has the global set-up */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(required(templateVariable))
}

/** The empty database that the global set-up migrates; all later ones are copies of it. */
export async function createTemplateDatabase(): Promise<TestDatabase> {
  const database = await createDatabase('template1')
  process.env[templateVariable] = new URL(database.url).pathname.slice(1)
  return database
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const server = required(serverVariable)
  const name = `test_${randomDigits(12)}`
  await onServer(server, `create database ${name} template ${template} strategy file_copy`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => onServer(server, `drop database ${name} with (force)`) }
}

function required(variable: string): string {
  const value = process.env[variable]
  if (value) return value
  throw new Error(`${variable} is not set: run this file with jest, whose global set-up starts PostgreSQL.`)
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
