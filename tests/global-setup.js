import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../platform/embedded/postgres.ts'
import { createLogger } from '../platform/log.ts'
import { createTemplateDatabase } from '../platform/testing/test-database.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { migrateDatabase } from '../wiring/migrate-database.ts'
import { openServerHost } from './server-host.ts'

/**
 * Starts one real PostgreSQL for the whole run (or uses the one of JAN_TEST_DATABASE_URL) and migrates a template on it,
 * from which every test file copies its own database. Opens the host of servers that test files share. Plain JavaScript: jest loads it outside its own module system.
 */
export default async function globalSetup() {
  const running = process.env.JAN_TEST_DATABASE_URL ? null : await startPostgres()
  const template = await createTemplateDatabase()
  await migrateDatabase(template.url, subgraphs, createLogger({ level: 'warn', format: 'json' }))
  const servers = await openServerHost()
  process.env.JAN_TEST_SERVER_HOST = servers.url
  globalThis.janTestRun = { running, template, servers }
}

async function startPostgres() {
  const dataDir = mkdtempSync(join(tmpdir(), 'jan-test-'))
  const postgres = await startEmbeddedPostgres({ dataDir })
  await relaxDurability(postgres.url)
  process.env.JAN_TEST_DATABASE_URL = postgres.url
  return { postgres, dataDir }
}

/** No test outlives a power cut: what waits for the disk would only slow the hundreds of databases down. */
async function relaxDurability(url) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('alter system set fsync = off')
  await client.query('alter system set full_page_writes = off')
  await client.query('select pg_reload_conf()')
  await client.end()
}
