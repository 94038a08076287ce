import { readEnvironment } from '../platform/config.ts'
import { embeddedDatabase } from './embedded-database.ts'
import { processLogger } from './process-logger.ts'
import { runProcess } from './run-process.ts'
import { readPlatformSettings } from './settings.ts'

await runProcess(async (stack) => {
  const environment = readEnvironment()
  const platform = readPlatformSettings(environment)
  const log = processLogger(platform)
  stack.terms = { graceMs: platform.SHUTDOWN_GRACE, log }
  // PostgreSQL needs no JavaScript to come up: it starts while the rest of the program is still being read.
  const database = embeddedDatabase(platform, stack)
  const [{ startOneProcess }, { url }] = await Promise.all([import('./one-process.ts'), database])
  await startOneProcess({ environment, databaseUrl: url, log }, stack)
})
