import { createInternalTokens } from '../platform/internal-token.ts'
import { startEdgeServer } from './edge-server.ts'
import { openEdgeStores } from './edge-stores.ts'
import { joinSplitGraph } from './split-graph.ts'
import { runSplitProcess } from './split-process.ts'
import { subgraphUrls } from './split-settings.ts'
import { subgraphChecks } from './subgraph-checks.ts'

// The public face of a split platform: REST adapter and gateway, no subgraph. Any number of them may run.
await runSplitProcess([], async ({ environment, settings, services }, stack) => {
  // Whoever is told here that a credential is revoked finds it refused here: accounts answers when it has heard so itself.
  const afterMutations = { accounts: services.notifications.caughtUp }
  const urls = subgraphUrls(environment)
  const tokens = createInternalTokens(services.rootSecret)
  const graph = joinSplitGraph(
    urls,
    {},
    tokens,
    afterMutations,
    settings.platform.ENVIRONMENT === 'production',
  )
  stack.push('connections to subgraphs', graph.close)
  const stores = await openEdgeStores(services, settings.platform)
  stack.push('logs of running answers', stores.close)
  if (settings.platform.AUTO_MIGRATE) await services.database.migrate()
  const edge = await startEdgeServer(graph, stores, services, settings, subgraphChecks(urls))
  stack.push('requests', edge.stop)
  services.log.info({ port: edge.port }, 'the edge is ready')
})
