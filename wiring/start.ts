import { readEnvironment } from '../platform/config.ts'
import { unreadSettings } from '../platform/jan-server-settings.ts'
import { embeddedDatabase } from './embedded-database.ts'
import { processLogger } from './process-logger.ts'
import { runProcess } from './run-process.ts'
import { readPlatformSettings } from './settings.ts'

await runProcess(async (stack) => {
  const environment = readEnvironment()
  const platform = readPlatformSettings(environment)
  const log = processLogger(platform)
  for (const sentence of unreadSettings(environment)) log.warn(sentence)
  stack.terms = { graceMs: platform.SHUTDOWN_GRACE, log }
  // PostgreSQL needs no JavaScript to come up. To read the rest of the program takes this thread a second: before that it is on its way.
  const underWay = Promise.withResolvers<void>()
  const database = embeddedDatabase(platform, stack, underWay.resolve)
  await Promise.race([underWay.promise, database])
  const [{ startOneProcess }, { url }] = await Promise.all([import('./one-process.ts'), database])
  await startOneProcess({ environment, databaseUrl: url, log }, stack)
})
