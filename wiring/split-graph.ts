import { getOperationAST } from 'graphql'
import { createGraph, type FederatedGraph, type GraphSource, remoteSource } from '../gateway/index.ts'
import { ConfigError } from '../platform/config.ts'
import type { InternalTokens } from '../platform/internal-token.ts'
import { publishedGraph } from './published-graph.ts'

/** What a process waits for after a subgraph's mutations, by the subgraph's name. */
export type AfterMutations = Readonly<Record<string, () => Promise<void>>>

/** The graph of one process of a split platform: what runs here is asked here, its siblings over HTTP. */
export function joinSplitGraph(
  urls: ReadonlyMap<string, string>,
  local: Readonly<Record<string, GraphSource>>,
  tokens: InternalTokens,
  afterMutations: AfterMutations = {},
  hidesSuggestions = false,
): FederatedGraph {
  const published = publishedGraph()
  const sources = subgraphNames(published.supergraphSdl).map((name): [string, GraphSource] => {
    const here = local[name]
    if (here) return [name, here]
    const url = urls.get(name)
    if (!url) throw new ConfigError(`SUBGRAPH_URLS: says nothing of the subgraph '${name}'`)
    const source = remoteSource({ name, url, tokens })
    const after = afterMutations[name]
    return [name, after ? waitingAfterMutations(source, after) : source]
  })
  return createGraph({ ...published, sources: Object.fromEntries(sources), hidesSuggestions })
}

/** The subgraphs of a composed supergraph, by its own `join__Graph` enum. */
function subgraphNames(supergraphSdl: string): string[] {
  return [...supergraphSdl.matchAll(/@join__graph\(name: "([^"]+)"/g)].map(([, name]) => name ?? '')
}

function waitingAfterMutations(source: GraphSource, after: () => Promise<void>): GraphSource {
  return {
    ...source,
    async execute(request) {
      const result = await source.execute(request)
      if (getOperationAST(request.document)?.operation === 'mutation') await after()
      return result
    },
  }
}
