import type { Schema } from '@apollo/federation-internals'
import type { FetchNode, QueryPlan } from '@apollo/query-planner'
import type { DocumentNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode } from 'graphql'
import type { PlainPlan } from './plain-plan.ts'

/** An operation that was validated and planned once, to be run many times: one of three ways is there. */
export interface PlannedOperation {
  readonly kind: 'query' | 'mutation' | 'subscription'
  readonly operation: OperationDefinitionNode
  /** The fetch whose events a subscription has; null for the other kinds. */
  readonly primary: FetchNode | null
  /** The one fetch that is the whole plan, when its result needs no shaping. */
  readonly direct: FetchNode | null
  /** The plan, or what of it follows a subscription's event, where our executor can run it. */
  readonly plain: PlainPlan | null
  /** What Apollo's executor needs, which can run any plan; null where that is never asked. */
  readonly apollo: ApolloPlan | null
}

/** A plan with all that Apollo's executor of plans wants to know. */
export interface ApolloPlan {
  readonly plan: QueryPlan
  readonly context: OperationContext
  readonly federated: Schema
}

/** The operation that runs, with the fragments of its document. */
export interface OperationContext {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>
}

/** Makes the plan of an operation. @throws GraphQLError when it is not valid, or not there */
export type PlanOperation = (
  document: DocumentNode,
  operationName: string | undefined,
) => PlannedOperation | Promise<PlannedOperation>
