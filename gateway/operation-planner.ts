import { operationFromDocument, type Schema } from '@apollo/federation-internals'
import type { QueryPlanner } from '@apollo/query-planner'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  validate,
} from 'graphql'
import { directFetch } from './direct-fetch.ts'
import { assertShallowLiterals } from './literal-depth.ts'
import { limitError, type OperationLimits } from './operation-limits.ts'
import { fragmentsOf, plainPlan } from './plain-plan.ts'
import type { PlannedOperation } from './planned-operation.ts'

/** One way to look at the supergraph: what clients may see, or all of it. */
export interface SchemaView {
  readonly federated: Schema
  readonly graphql: GraphQLSchema
  /** What operations over this view may ask for; null for the platform's own. */
  readonly limits: OperationLimits | null
  /** Leaves out of refusals what else there is in the schema. */
  readonly hidesSuggestions: boolean
}

/** @throws GraphQLError when the document is not valid in this view, or does not have the operation that is named. */
export function planOperation(
  view: SchemaView,
  planner: QueryPlanner,
  document: DocumentNode,
  operationName: string | undefined,
): PlannedOperation {
  assertShallowLiterals(document)
  assertValid(view, document)
  const operation = operationOf(document, operationName)
  view.limits?.assertAffordable(view.graphql, document, operationName, {})
  const federated = operationFromDocument(view.federated, document, {
    ...(operationName ? { operationName } : {}),
    validate: false,
  })
  const plan = planner.buildQueryPlan(federated)
  const { node } = plan
  const context = { schema: view.graphql, operation, fragments: fragmentsOf(document) }
  return {
    kind: federated.rootKind,
    operation,
    primary: node?.kind === 'Subscription' ? node.primary : null,
    direct: directFetch(view.graphql, document, node),
    plain: plainPlan(context, document, node),
    apollo: { plan, context, federated: view.federated },
  }
}

function operationOf(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName)
  if (operation) return operation
  throw new GraphQLError(
    operationName === undefined
      ? 'Must provide operation name if query contains multiple operations.'
      : `Unknown operation named "${operationName}".`,
    { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
  )
}

function assertValid({ graphql, limits, hidesSuggestions }: SchemaView, document: DocumentNode): void {
  const [fault] = validate(graphql, document, undefined, { hideSuggestions: hidesSuggestions })
  if (fault)
    throw new GraphQLError(fault.message, {
      nodes: fault.nodes ?? null,
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    })
  if (!limits) return
  try {
    validate(graphql, document, limits.rules)
  } catch (error) {
    throw limitError(error)
  }
}
