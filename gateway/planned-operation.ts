import { operationFromDocument, type Schema } from '@apollo/federation-internals'
import type { FetchNode, PlanNode, QueryPlan, QueryPlanner, SubscriptionNode } from '@apollo/query-planner'
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { assertShallowLiterals } from './literal-depth.ts'
import { limitError, type OperationLimits } from './operation-limits.ts'
import { hasConditions, isPlainDocument, isPlainPlan } from './plain-plan.ts'
import { type ResponseShape, responseShape } from './response-shape.ts'

/** One way to look at the supergraph: what clients may see, or all of it. */
export interface SchemaView {
  readonly federated: Schema
  readonly graphql: GraphQLSchema
  /** What operations over this view may ask for; null for the platform's own. */
  readonly limits: OperationLimits | null
  /** Leaves out of refusals what else there is in the schema. */
  readonly hidesSuggestions: boolean
}

/** An operation that was validated and planned once, to be run many times. */
export interface PlannedOperation {
  readonly kind: 'query' | 'mutation' | 'subscription'
  readonly plan: QueryPlan
  readonly context: OperationContext
  /** The one fetch that is the whole plan, when its result needs no shaping. */
  readonly direct: FetchNode | null
  /** The plan, or what of it follows a subscription's event, where our executor can run it; else null. */
  readonly plain: PlainPlan | null
}

/** The operation that runs, with the fragments of its document. */
export interface OperationContext {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Record<string, FragmentDefinitionNode>
}

export interface PlainPlan {
  readonly node: PlanNode
  /** @param variables with their defaults; they matter where they decide which fields there are */
  shapeFor(variables: () => Record<string, unknown>): ResponseShape
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
  const operationNode = getOperationAST(document, operationName)
  if (!operationNode) {
    throw new GraphQLError(
      operationName === undefined
        ? 'Must provide operation name if query contains multiple operations.'
        : `Unknown operation named "${operationName}".`,
      { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
    )
  }
  view.limits?.assertAffordable(view.graphql, document, operationName, {})
  const operation = operationFromDocument(view.federated, document, {
    ...(operationName ? { operationName } : {}),
    validate: false,
  })
  const plan = planner.buildQueryPlan(operation)
  const context = { schema: view.graphql, operation: operationNode, fragments: fragmentsOf(document) }
  return {
    kind: operation.rootKind,
    plan,
    context,
    direct: isShapedBySource(view.graphql, document) ? directFetch(plan.node) : null,
    plain: plainPlan(view.graphql, document, plan.node, context),
  }
}

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  return Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]))
}

function plainPlan(
  schema: GraphQLSchema,
  document: DocumentNode,
  planned: QueryPlan['node'],
  { operation, fragments }: PlannedOperation['context'],
): PlainPlan | null {
  const node = planned?.kind === 'Subscription' ? planned.rest : planned
  if (!node || !isPlainPlan(schema, node) || !isPlainDocument(document)) return null
  const shape = (variables: Record<string, unknown>) =>
    responseShape({ schema, operation, fragments, variables })
  if (hasConditions(document)) return { node, shapeFor: (variables) => shape(variables()) }
  const only = shape({})
  return { node, shapeFor: () => only }
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

/** The fetch of a plan that consists of nothing else and rewrites nothing. */
function directFetch(node: PlanNode | SubscriptionNode | undefined): FetchNode | null {
  if (node?.kind === 'Subscription') return node.rest ? null : directFetch(node.primary)
  if (node?.kind !== 'Fetch') return null
  const rewrites = [node.requires, node.inputRewrites, node.outputRewrites, node.contextRewrites]
  return rewrites.some((rewrite) => rewrite && rewrite.length > 0) ? null : node
}

/**
 * Whether a subgraph's own answer has exactly the fields that were asked for. Introspection is answered by the gateway,
 * and below abstract types the planner asks for `__typename` besides.
 */
function isShapedBySource(schema: GraphQLSchema, document: DocumentNode): boolean {
  const conditions = new Map<string, string>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      conditions.set(definition.name.value, definition.typeCondition.name.value)
  }
  const types = new TypeInfo(schema)
  let shaped = true
  const narrows = (condition: string | undefined) =>
    condition !== undefined && condition !== types.getParentType()?.name
  visit(
    document,
    visitWithTypeInfo(types, {
      [Kind.FRAGMENT_SPREAD]: ({ name }) => {
        if (narrows(conditions.get(name.value))) shaped = false
      },
      [Kind.INLINE_FRAGMENT]: () => {
        shaped = false
      },
      [Kind.FIELD]: ({ name }) => {
        if (name.value.startsWith('__') || isAbstractType(getNamedType(types.getType()))) shaped = false
      },
    }),
  )
  return shaped
}
