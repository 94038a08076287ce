import { Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import type { GraphQLSchema } from 'graphql'
import type { Graph } from '../platform/graph.ts'
import type { GraphSource } from './graph-source.ts'
import { clientLimits } from './operation-limits.ts'
import { createOperationRunner, type OperationRunner } from './operation-runner.ts'
import { graphOver } from './trusted-graph.ts'

export type { GraphSource } from './graph-source.ts'
export { type LocalSubgraph, localSource } from './local-source.ts'
export type { OperationRunner } from './operation-runner.ts'
export { type RemoteSubgraph, remoteSource } from './remote-source.ts'

/** The supergraph, joined: one planner, two views. */
export interface FederatedGraph {
  /** What clients see: without the inaccessible elements. */
  readonly apiSchema: GraphQLSchema
  readonly supergraphSdl: string
  /** Runs clients' operations against the API schema. */
  readonly clients: OperationRunner
  /** The platform's own door: the whole supergraph, typed operations, `AppError`s. */
  readonly trusted: Graph
  close(): Promise<void>
}

/** What a graph is made of. The gateway knows subgraphs by name only. */
export interface GraphOptions {
  readonly supergraphSdl: string
  readonly sources: Readonly<Record<string, GraphSource>>
  /** Whether refusals of clients' operations leave out what the schema has that is alike; for closed schemas. */
  readonly hidesSuggestions?: boolean
}

/** Joins sources by a composed supergraph. Plans are made once per document and kept as long as it lives. */
export function createGraph({
  supergraphSdl,
  sources,
  hidesSuggestions = false,
}: GraphOptions): FederatedGraph {
  // composition has validated it, and a test holds the committed one to what composition makes: once more takes 0.1 s
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false })
  const planner = new QueryPlanner(supergraph, { exposeDocumentNodeInFetchNode: true })
  const api = supergraph.apiSchema()
  const apiSchema = api.toGraphQLJSSchema()
  const whole = supergraph.schema
  return {
    apiSchema,
    supergraphSdl,
    clients: createOperationRunner({
      view: { federated: api, graphql: apiSchema, limits: clientLimits, hidesSuggestions },
      planner,
      sources,
      checkVariables: true,
    }),
    trusted: graphOver(
      createOperationRunner({
        view: { federated: whole, graphql: whole.toGraphQLJSSchema(), limits: null, hidesSuggestions: false },
        planner,
        sources,
        checkVariables: false,
      }),
    ),
    async close() {
      await Promise.all(Object.values(sources).map((source) => source.close?.()))
    },
  }
}
