import { readEnvironment } from '../platform/config.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { embeddedDatabase } from './embedded-database.ts'
import { migrateDatabase } from './migrate-database.ts'
import { processLogger } from './process-logger.ts'
import { runProcess } from './run-process.ts'
import { readPlatformSettings } from './settings.ts'

/** `npm run migrate`: brings the database up to date and ends; for deployments with AUTO_MIGRATE=false. */
await runProcess(async (stack) => {
  const platform = readPlatformSettings(readEnvironment())
  const log = processLogger(platform)
  stack.terms = { graceMs: platform.SHUTDOWN_GRACE, log }
  const { url } = await embeddedDatabase(platform, stack)
  await migrateDatabase(url, subgraphs, log)
  await stack.stop()
  process.stdout.write('The database is up to date.\n')
})
