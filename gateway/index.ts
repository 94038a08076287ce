import type { GraphQLSchema } from 'graphql'
import type { Graph } from '../platform/graph.ts'
import { once } from '../platform/once.ts'
import { type CommittedPlans, plansOnFile } from './committed-plans.ts'
import type { GraphSource } from './graph-source.ts'
import { createOperationRunner, type OperationRunner } from './operation-runner.ts'
import type { OpenSupergraph } from './supergraph.ts'
import { graphOver } from './trusted-graph.ts'

export { type CommittedPlan, type CommittedPlans, committedPlan } from './committed-plans.ts'
export type { GraphSource } from './graph-source.ts'
export { type LocalSubgraph, localSource } from './local-source.ts'
export type { OperationRunner } from './operation-runner.ts'
export { type RemoteSubgraph, remoteSource } from './remote-source.ts'

/** The supergraph, joined: one planner, two views. */
export interface FederatedGraph {
  /** What clients see: without the inaccessible elements. */
  apiSchema(): Promise<GraphQLSchema>
  readonly supergraphSdl: string
  /** Runs clients' operations against the API schema. The first of them waits for the planner to be made. */
  readonly clients: OperationRunner
  /** The platform's own door: the whole supergraph, typed operations, `AppError`s. */
  readonly trusted: Graph
  close(): Promise<void>
}

/** What a graph is made of. The gateway knows subgraphs by name only. */
export interface GraphOptions {
  readonly supergraphSdl: string
  readonly sources: Readonly<Record<string, GraphSource>>
  /** Plans that were made beforehand for this supergraph. Trusted operations that have none are planned here. */
  readonly plans?: CommittedPlans
  /** Whether refusals of clients' operations leave out what the schema has that is alike; for closed schemas. */
  readonly hidesSuggestions?: boolean
}

/** Joins sources by a composed supergraph. Plans are made once per document and kept as long as it lives. */
export function createGraph({
  supergraphSdl,
  sources,
  plans = {},
  hidesSuggestions = false,
}: GraphOptions): FederatedGraph {
  const supergraph = once(async (): Promise<OpenSupergraph> => {
    const { openSupergraph } = await import('./supergraph.ts')
    return openSupergraph(supergraphSdl, hidesSuggestions)
  })
  const onFile = plansOnFile(plans, supergraphSdl)
  const clients = once(async () => {
    const { view, plan } = (await supergraph()).clients
    return createOperationRunner({ plan, sources, checked: view })
  })
  return {
    apiSchema: async () => (await supergraph()).clients.view.graphql,
    supergraphSdl,
    clients: {
      kindOf: async (request) => (await clients()).kindOf(request),
      admit: async (request) => (await clients()).admit(request),
      execute: async (request) => (await clients()).execute(request),
      subscribe: async (request) => (await clients()).subscribe(request),
    },
    trusted: graphOver(
      createOperationRunner({
        plan: async (document, operationName) =>
          onFile(document) ?? (await supergraph()).trusted().plan(document, operationName),
        sources,
        checked: null,
      }),
    ),
    async close() {
      await Promise.all(Object.values(sources).map((source) => source.close?.()))
    },
  }
}
