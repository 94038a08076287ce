import { createSubgraphHttp } from '../gateway/http/subgraph-http.ts'
import { localSource } from '../gateway/index.ts'
import { AppError } from '../platform/errors.ts'
import { createInternalTokens } from '../platform/internal-token.ts'
import { createServer } from '../platform/node-http.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { closeServer, listen } from './http-server.ts'
import { joinSplitGraph } from './split-graph.ts'
import { runSplitProcess, type SplitProcess } from './split-process.ts'
import { subgraphUrls } from './split-settings.ts'
import { endWithOneSentence, StartFailure } from './start-failure.ts'
import type { StopStack } from './stop-stack.ts'
import { hostSubgraphs } from './subgraph-host.ts'

// One subgraph of a split platform: `node wiring/main.js subgraph models`.
const name = process.argv[3]
const chosen = subgraphs.find((subgraph) => subgraph.name === name)
if (chosen) await runSplitProcess([chosen], serveSubgraph)
else {
  const known = subgraphs.map((subgraph) => subgraph.name).join(', ')
  endWithOneSentence(new StartFailure(`Name the subgraph to run, one of: ${known}.`))
}

async function serveSubgraph(
  { environment, settings, services }: SplitProcess,
  stack: StopStack,
): Promise<void> {
  const tokens = createInternalTokens(services.rootSecret)
  const host = await hostSubgraphs(chosen ? [chosen] : [], services, settings)
  const [here] = host.hosted
  if (!here) throw new StartFailure('No subgraph runs here.')
  const subgraph = { schema: here.schema, createContext: here.instance.createContext.bind(here.instance) }
  const graph = joinSplitGraph(subgraphUrls(environment), { [here.name]: localSource(subgraph) }, tokens)
  host.join(graph.trusted)
  // The last that was pushed stops first: what a subgraph has yet to write still finds its siblings.
  stack.push('connections to sibling subgraphs', graph.close)
  stack.push(`subgraph ${here.name}`, host.stop)
  const draining = new AbortController()
  let isReady = false
  const app = await createSubgraphHttp({
    name: here.name,
    tracing: services.tracing,
    subgraph,
    graph: graph.trusted,
    tokens,
    log: services.log,
    maxBodyBytes: 2 * settings.platform.MAX_BODY_BYTES,
    draining: draining.signal,
    async ready() {
      if (!isReady) throw new AppError('service_unavailable', 'The subgraph is still starting.')
      await services.database.ping()
    },
  })
  const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, app)
  const port = await listen(server, settings.platform.PORT, settings.platform.HOST)
  stack.push('requests', () => {
    draining.abort()
    return closeServer(server, settings.platform.SHUTDOWN_GRACE)
  })
  await host.ready()
  isReady = true
  for (const notice of host.notices()) process.stdout.write(`${notice}\n`)
  services.log.info({ subgraph: here.name, port }, 'the subgraph is ready')
}
