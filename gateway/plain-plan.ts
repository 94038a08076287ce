import type { FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner'
import { type DocumentNode, type GraphQLSchema, isObjectType, Kind, visit } from 'graphql'

/**
 * Whether our executor can run a plan: fetches, alone, in sequence or side by side, and the entities that they join. The
 * rest (conditions of whole fetches, rewrites for fields that collide) is rare and left to Apollo's.
 */
export function isPlainPlan(schema: GraphQLSchema, node: PlanNode): boolean {
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
export function isPlainDocument(document: DocumentNode): boolean {
  let plain = true
  visit(document, {
    [Kind.FIELD]: ({ name, alias }) => {
      if (name.value === '__schema' || name.value === '__type' || alias?.value === '__proto__') plain = false
    },
  })
  return plain
}

/** Whether variables decide which fields an answer has. */
export function hasConditions(document: DocumentNode): boolean {
  let conditional = false
  visit(document, {
    [Kind.DIRECTIVE]: ({ name, arguments: given = [] }) => {
      if (name.value !== 'skip' && name.value !== 'include') return
      if (given.some(({ value }) => value.kind === Kind.VARIABLE)) conditional = true
    },
  })
  return conditional
}
