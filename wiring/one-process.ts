import type { Environment } from '../platform/config.ts'
import type { Logger } from '../platform/log.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { banner } from './banner.ts'
import { startEdgeServer } from './edge-server.ts'
import { openEdgeStores } from './edge-stores.ts'
import { assertListenable } from './listenable.ts'
import { startLocalGraph } from './local-graph.ts'
import { startMetricsServer } from './metrics-server.ts'
import { rootSecret } from './root-secret.ts'
import { openSharedServices } from './services.ts'
import { loadSettings } from './settings.ts'
import type { StopStack } from './stop-stack.ts'

/** What the single process is started with. */
export interface OneProcessOptions {
  readonly environment: Environment
  readonly databaseUrl: string
  readonly log: Logger
}

/** Gateway, subgraphs and REST adapter in this process. Prints the banner once all of it answers. */
export async function startOneProcess(
  { environment, databaseUrl, log }: OneProcessOptions,
  stack: StopStack,
): Promise<void> {
  const settings = loadSettings(environment, subgraphs)
  const { platform, publicUrl } = settings
  await assertListenable(platform.PORT, platform.HOST)
  const services = await openSharedServices(
    { settings, databaseUrl, rootSecret: await rootSecret(platform), log },
    stack,
  )
  const stores = await openEdgeStores(services, platform)
  const local = await startLocalGraph(subgraphs, services, settings)
  stack.push('subgraphs', local.stop)
  stack.push('logs of running answers', stores.close)
  // The port opens last: whoever finds it open finds the models too.
  await local.ready()
  const edge = await startEdgeServer(local.graph, stores, services, settings).catch((error: unknown) => {
    // What is told only once must be told even if this start goes no further.
    for (const notice of local.notices()) process.stdout.write(`${notice}\n`)
    throw error
  })
  stack.push('requests', edge.stop)
  await startMetricsServer({ metrics: services.metrics, platform, log }, stack)
  process.stdout.write(
    banner({ publicUrl, explore: platform.ENVIRONMENT !== 'production', notices: local.notices() }),
  )
}
