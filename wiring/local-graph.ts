import { createGraph, type FederatedGraph, localSource } from '../gateway/index.ts'
import type { Subgraph } from '../platform/subgraph.ts'
import { publishedGraph } from './published-graph.ts'
import type { SharedServices } from './services.ts'
import type { Settings } from './settings.ts'
import { hostSubgraphs } from './subgraph-host.ts'

/** The graph with every subgraph in this process. */
export interface LocalGraph {
  readonly graph: FederatedGraph
  ready(): Promise<void>
  notices(): readonly string[]
  stop(): Promise<void>
}

/** Starts all subgraphs here and joins them by the committed supergraph and plans. */
export async function startLocalGraph(
  subgraphs: readonly Subgraph[],
  services: SharedServices,
  settings: Settings,
): Promise<LocalGraph> {
  const host = await hostSubgraphs(subgraphs, services, settings)
  const sources = host.hosted.map(({ name, schema, instance }) => [
    name,
    localSource({ schema, createContext: (request) => instance.createContext(request) }),
  ])
  const graph = createGraph({
    ...publishedGraph(),
    sources: Object.fromEntries(sources),
    hidesSuggestions: settings.platform.ENVIRONMENT === 'production',
  })
  host.join(graph.trusted)
  return {
    graph,
    ready: () => host.ready(),
    notices: () => host.notices(),
    async stop() {
      await host.stop()
      await graph.close()
    },
  }
}
