import { type Environment, readEnvironment } from '../platform/config.ts'
import { unreadSettings } from '../platform/jan-server-settings.ts'
import type { Subgraph } from '../platform/subgraph.ts'
import { startMetricsServer } from './metrics-server.ts'
import { processLogger } from './process-logger.ts'
import { runProcess } from './run-process.ts'
import { openSharedServices, type SharedServices } from './services.ts'
import { loadSettings, type Settings } from './settings.ts'
import { StartFailure } from './start-failure.ts'
import type { StopStack } from './stop-stack.ts'

/** What one process of a split platform has before it does its own part. */
export interface SplitProcess {
  readonly environment: Environment
  readonly settings: Settings
  readonly services: SharedServices
}

/** Opens what every process of a split platform needs, runs its part, and stops both in order on a signal. */
export async function runSplitProcess(
  hosted: readonly Subgraph[],
  part: (process: SplitProcess, stack: StopStack) => Promise<void>,
): Promise<void> {
  await runProcess(async (stack) => {
    const environment = readEnvironment()
    const settings = loadSettings(environment, hosted)
    const { DATABASE_URL, JAN_SECRET, SHUTDOWN_GRACE } = settings.platform
    const log = processLogger(settings.platform)
    for (const sentence of unreadSettings(environment)) log.warn(sentence)
    stack.terms = { graceMs: SHUTDOWN_GRACE, log }
    if (!DATABASE_URL || !JAN_SECRET) {
      throw new StartFailure(
        'A split platform shares one PostgreSQL: set DATABASE_URL and JAN_SECRET, the same in every process.',
      )
    }
    const services = await openSharedServices(
      { settings, databaseUrl: DATABASE_URL, rootSecret: JAN_SECRET, log },
      stack,
    )
    await part({ environment, settings, services }, stack)
    await startMetricsServer({ metrics: services.metrics, platform: settings.platform, log }, stack)
  })
}
