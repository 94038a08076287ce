import type { FetchNode, PlanNode, QueryPlan, QueryPlanSelectionNode } from '@apollo/query-planner'
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getVariableValues,
  isObjectType,
  Kind,
  visit,
} from 'graphql'
import type { OperationContext } from './planned-operation.ts'
import { type ResponseShape, responseShape } from './response-shape.ts'

/** A plan for our own executor, and what its answer is cut to. */
export interface PlainPlan {
  readonly node: PlanNode
  /** @param variables as they were given; they matter where they decide which fields there are */
  shapeFor(variables: Record<string, unknown>): ResponseShape
}

/** The plan, or what of it follows a subscription's event, where our executor can run it; else null. */
export function plainPlan(
  context: OperationContext,
  document: DocumentNode,
  planned: QueryPlan['node'],
): PlainPlan | null {
  const node = planned?.kind === 'Subscription' ? planned.rest : planned
  if (!node || !isPlainPlan(context.schema, node) || !isPlainDocument(document)) return null
  return shapedPlan(context, document, node)
}

/** A plan that is known to be plain. */
export function shapedPlan(context: OperationContext, document: DocumentNode, node: PlanNode): PlainPlan {
  const { schema, operation } = context
  if (!hasConditions(document)) {
    const only = responseShape({ ...context, variables: {} })
    return { node, shapeFor: () => only }
  }
  return {
    node,
    shapeFor(given) {
      const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], given)
      return responseShape({ ...context, variables: coerced ?? given })
    },
  }
}

/** The fragments of a document by their names. */
export function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  return Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]))
}

/**
 * Whether our executor can run a plan: fetches, alone, in sequence or side by side, and the entities that they join. The
 * rest (conditions of whole fetches, rewrites for fields that collide) is rare and left to Apollo's.
 */
function isPlainPlan(schema: GraphQLSchema, node: PlanNode): boolean {
  if (node.kind === 'Sequence' || node.kind === 'Parallel')
    return node.nodes.every((each) => isPlainPlan(schema, each))
  if (node.kind === 'Flatten')
    return node.path.every(isPlainStep) && node.node.kind === 'Fetch' && isEntityFetch(schema, node.node)
  return node.kind === 'Fetch' && !node.requires && !isRewritten(node)
}

/** A field's name or `@`; other steps carry conditions on types. */
function isPlainStep(step: string | number): boolean {
  return typeof step === 'string' && /^(@|\w+)$/.test(step)
}

function isEntityFetch(schema: GraphQLSchema, fetch: FetchNode): boolean {
  const { requires = [], variableUsages = [] } = fetch
  if (requires.length === 0 || isRewritten(fetch)) return false
  // a client's variable of that name would be taken for the entities
  if (variableUsages.includes('representations')) return false
  return requires.every((selection) => isKeyOfObject(schema, selection))
}

function isKeyOfObject(schema: GraphQLSchema, selection: QueryPlanSelectionNode): boolean {
  if (selection.kind !== Kind.INLINE_FRAGMENT || selection.typeCondition === undefined) return false
  return isObjectType(schema.getType(selection.typeCondition)) && selection.selections.every(isFieldsOnly)
}

function isFieldsOnly(selection: QueryPlanSelectionNode): boolean {
  return selection.kind === Kind.FIELD && (selection.selections ?? []).every(isFieldsOnly)
}

function isRewritten({ inputRewrites, outputRewrites, contextRewrites }: FetchNode): boolean {
  return [inputRewrites, outputRewrites, contextRewrites].some((rewrites) => rewrites && rewrites.length > 0)
}

/**
 * Whether our shape of an answer can hold an operation's. Introspection is answered by Apollo's executor, and a field that is
 * called like the prototype of objects is left to it as well.
 */
function isPlainDocument(document: DocumentNode): boolean {
  let plain = true
  visit(document, {
    [Kind.FIELD]: ({ name, alias }) => {
      if (name.value === '__schema' || name.value === '__type' || alias?.value === '__proto__') plain = false
    },
  })
  return plain
}

/** Whether variables decide which fields an answer has. */
function hasConditions(document: DocumentNode): boolean {
  let conditional = false
  visit(document, {
    [Kind.DIRECTIVE]: ({ name, arguments: given = [] }) => {
      if (name.value !== 'skip' && name.value !== 'include') return
      if (given.some(({ value }) => value.kind === Kind.VARIABLE)) conditional = true
    },
  })
  return conditional
}
