import type { Environment } from '../platform/config.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { banner } from './banner.ts'
import { startEdgeServer } from './edge-server.ts'
import { openEdgeStores } from './edge-stores.ts'
import { assertListenable } from './listenable.ts'
import { startLocalGraph } from './local-graph.ts'
import { processLogger } from './process-logger.ts'
import { rootSecret } from './root-secret.ts'
import { openSharedServices } from './services.ts'
import { loadSettings } from './settings.ts'
import type { StopStack } from './stop-stack.ts'

/** What the single process is started with. */
export interface OneProcessOptions {
  readonly environment: Environment
  readonly databaseUrl: string
}

/** Gateway, subgraphs and REST adapter in this process. Prints the banner once all of it answers. */
export async function startOneProcess(
  { environment, databaseUrl }: OneProcessOptions,
  stack: StopStack,
): Promise<void> {
  const settings = loadSettings(environment, subgraphs)
  const { platform, publicUrl } = settings
  const log = processLogger(platform)
  await assertListenable(platform.PORT, platform.HOST)
  const services = await openSharedServices({
    settings,
    databaseUrl,
    rootSecret: await rootSecret(platform),
    log,
  })
  stack.push(services.close)
  const stores = await openEdgeStores(services, platform)
  const local = await startLocalGraph(subgraphs, services, settings)
  stack.push(local.stop)
  stack.push(stores.close)
  // The port opens last: whoever finds it open finds the models too.
  await local.ready()
  const edge = await startEdgeServer(local.graph, stores, services, settings).catch((error: unknown) => {
    // What is told only once must be told even if this start goes no further.
    for (const notice of local.notices()) process.stdout.write(`${notice}\n`)
    throw error
  })
  stack.push(edge.stop)
  process.stdout.write(
    banner({ publicUrl, explore: platform.ENVIRONMENT !== 'production', notices: local.notices() }),
  )
}
