import type { FetchNode, QueryPlan } from '@apollo/query-planner'
import {
  type DocumentNode,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'

/** The one fetch that a plan consists of, when what it answers is what was asked for; else null. */
export function directFetch(
  schema: GraphQLSchema,
  document: DocumentNode,
  node: QueryPlan['node'],
): FetchNode | null {
  const fetch = onlyFetch(node)
  return fetch && isShapedBySource(schema, document) ? fetch : null
}

/** The fetch of a plan that consists of nothing else and rewrites nothing. */
function onlyFetch(node: QueryPlan['node']): FetchNode | null {
  if (node?.kind === 'Subscription') return node.rest ? null : onlyFetch(node.primary)
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
