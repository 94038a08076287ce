import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { type Completer, completerOf, invalid } from './value-completer.ts'

/** What an operation asked for, ready to be cut out of what the subgraphs gave: they were asked for keys besides. */
export interface ResponseShape {
  /** Null where a null travels up to the root. */
  apply(data: Record<string, unknown>): Record<string, unknown> | null
}

/** What an operation is, with the values of its variables. */
export interface ShapedOperation {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>
  readonly variables: Readonly<Record<string, unknown>>
}

/** Types are looked at once for each operation, not for each object. */
export function responseShape(shaped: ShapedOperation): ResponseShape {
  const root = shaped.schema.getRootType(shaped.operation.operation)
  if (!root) throw new Error(`the schema has no ${shaped.operation.operation}`)
  const complete = objectCompleter(shaped, root, [shaped.operation.selectionSet])
  return {
    apply(data) {
      const completed = complete(data)
      return completed === invalid ? null : (completed as Record<string, unknown> | null)
    },
  }
}

interface ShapedField {
  readonly name: string
  readonly complete: Completer
}

/** Completes objects of a type, or of any type that can stand in its place. */
function objectCompleter(
  shaped: ShapedOperation,
  declared: GraphQLCompositeType,
  selections: readonly SelectionSetNode[],
): Completer {
  const byType = new Map<string, readonly ShapedField[]>()
  const fieldsOf = (type: GraphQLObjectType): readonly ShapedField[] => {
    const known = byType.get(type.name)
    if (known) return known
    const fields = shapedFields(shaped, type, selections)
    byType.set(type.name, fields)
    return fields
  }
  return (value) => {
    const source = value as Record<string, unknown>
    const type = typeOf(shaped.schema, source, declared)
    return type ? completeObject(source, fieldsOf(type)) : null
  }
}

function completeObject(source: Record<string, unknown>, fields: readonly ShapedField[]): unknown {
  const completed: Record<string, unknown> = {}
  for (const { name, complete } of fields) {
    const value = complete(Object.hasOwn(source, name) ? source[name] : undefined)
    if (value === invalid) return null
    completed[name] = value
  }
  return completed
}

/** Null for a type that this view of the graph does not have. */
function typeOf(
  schema: GraphQLSchema,
  { __typename: name }: Record<string, unknown>,
  declared: GraphQLCompositeType,
): GraphQLObjectType | null {
  if (name === declared.name || name === undefined) return isObjectType(declared) ? declared : null
  const type = typeof name === 'string' ? schema.getType(name) : undefined
  return isObjectType(type) ? type : null
}

function shapedFields(
  shaped: ShapedOperation,
  type: GraphQLObjectType,
  selections: readonly SelectionSetNode[],
): readonly ShapedField[] {
  const byName = new Map<string, FieldNode[]>()
  for (const { selections: nodes } of selections) collectFields(shaped, type, nodes, byName)
  return [...byName].map(([name, nodes]) => ({ name, complete: fieldCompleter(shaped, type, nodes) }))
}

function fieldCompleter(
  shaped: ShapedOperation,
  parent: GraphQLObjectType,
  nodes: readonly FieldNode[],
): Completer {
  const name = nodes[0]?.name.value ?? ''
  if (name === '__typename') return () => parent.name
  const type = parent.getFields()[name]?.type
  if (!type) throw new Error(`${parent.name} has no field ${name}`)
  const selections = nodes.flatMap(({ selectionSet }) => selectionSet ?? [])
  return completerOf(type, (composite) => objectCompleter(shaped, composite, selections))
}

/** As the specification's CollectFields: fragments opened, conditions decided, fields of one name together. */
function collectFields(
  shaped: ShapedOperation,
  type: GraphQLObjectType,
  nodes: readonly SelectionNode[],
  byName: Map<string, FieldNode[]>,
): void {
  for (const node of nodes) {
    if (!isIncluded(shaped, node)) continue
    if (node.kind === Kind.FIELD) {
      const name = node.alias?.value ?? node.name.value
      byName.set(name, [...(byName.get(name) ?? []), node])
      continue
    }
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? shaped.fragments[node.name.value] : node
    if (fragment && appliesTo(shaped.schema, fragment.typeCondition?.name.value, type))
      collectFields(shaped, type, fragment.selectionSet.selections, byName)
  }
}

function isIncluded({ variables }: ShapedOperation, node: SelectionNode): boolean {
  if (!node.directives?.length) return true
  if (getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true) return false
  return getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if !== false
}

function appliesTo(schema: GraphQLSchema, condition: string | undefined, type: GraphQLObjectType): boolean {
  if (condition === undefined || condition === type.name) return true
  const wanted = schema.getType(condition)
  return isCompositeType(wanted) && isAbstractType(wanted) && schema.isSubType(wanted, type)
}
