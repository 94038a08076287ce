import { Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import { clientLimits } from './operation-limits.ts'
import { planOperation, type SchemaView } from './operation-planner.ts'
import type { PlanOperation } from './planned-operation.ts'

/** A view with what plans its operations. */
export interface PlannedView {
  readonly view: SchemaView
  readonly plan: PlanOperation
}

/** The supergraph as Apollo's planner reads it: one planner, two views. */
export interface OpenSupergraph {
  /** Without the inaccessible elements, within limits. */
  readonly clients: PlannedView
  /** All of it, for the platform's own operations. Made when it is first asked for. */
  trusted(): PlannedView
}

/**
 * To be imported when it is needed alone: with its packages this takes about half a second and 30 MB, and the
 * platform's own operations are planned already (`committed-plans.ts`).
 * @param hidesSuggestions whether refusals of clients' operations leave out what the schema has that is alike
 */
export function openSupergraph(supergraphSdl: string, hidesSuggestions: boolean): OpenSupergraph {
  // composition has validated it, and a test holds the committed one to what composition makes: once more takes 0.1 s
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false })
  const planner = new QueryPlanner(supergraph, { exposeDocumentNodeInFetchNode: true })
  const planned = (view: SchemaView): PlannedView => ({
    view,
    plan: (document, operationName) => planOperation(view, planner, document, operationName),
  })
  const api = supergraph.apiSchema()
  const whole = supergraph.schema
  let trusted: PlannedView | undefined
  return {
    clients: planned({
      federated: api,
      graphql: api.toGraphQLJSSchema(),
      limits: clientLimits,
      hidesSuggestions,
    }),
    trusted() {
      trusted ??= planned({
        federated: whole,
        graphql: whole.toGraphQLJSSchema(),
        limits: null,
        hidesSuggestions: false,
      })
      return trusted
    },
  }
}
