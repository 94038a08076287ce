import fc from 'fast-check'
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { hostileJson, hostileText } from './hostile-values.ts'

/** An operation of one root field with what fills its variables. */
export interface GraphOperation {
  readonly query: string
  readonly variables: fc.Arbitrary<Record<string, unknown>>
}

const maxDepth = 4

/** An operation that asks one root field for all that it has, as deep as a few objects go. */
export function operationOf(
  kind: 'query' | 'mutation' | 'subscription',
  field: GraphQLField<unknown, unknown>,
): GraphOperation {
  const declared = field.args.map(({ name, type }) => `$${name}: ${type}`)
  const passed = field.args.map(({ name }) => `${name}: $${name}`)
  const query =
    `${kind} Fuzz${parenthesised(declared)} ` +
    `{ ${field.name}${parenthesised(passed)} ${selectionOf(field.type, 0)} }`
  return { query, variables: variablesOf(field.args) }
}

function parenthesised(parts: readonly string[]): string {
  return parts.length > 0 ? `(${parts.join(', ')})` : ''
}

/** Leaves, and objects whose own arguments may be left out. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type)
  if (!isObjectType(named)) return ''
  const fields = Object.values(named.getFields()).flatMap((field) => {
    if (field.args.some((argument) => isNonNullType(argument.type) && argument.defaultValue === undefined))
      return []
    if (isLeafType(getNamedType(field.type))) return [field.name]
    if (depth >= maxDepth) return []
    return [`${field.name}${smallPage(field)} ${selectionOf(field.type, depth + 1)}`]
  })
  return `{ __typename ${fields.join(' ')} }`
}

/** Pages within pages multiply: whole ones would be more than one operation may ask for. */
function smallPage({ args }: GraphQLField<unknown, unknown>): string {
  return args.some(({ name }) => name === 'first') ? '(first: 2)' : ''
}

function variablesOf(args: readonly GraphQLArgument[]): fc.Arbitrary<Record<string, unknown>> {
  const known = Object.fromEntries(args.map(({ name, type }) => [name, valuesOf(type, 0)]))
  const required = args.filter(({ type }) => isNonNullType(type)).map(({ name }) => name)
  return fc.record(known, { requiredKeys: required })
}

function valuesOf(type: GraphQLInputType, depth: number): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 6, arbitrary: fittingValues(type, depth) }, { weight: 1, arbitrary: hostileJson })
}

function fittingValues(type: GraphQLInputType, depth: number): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return fittingValues(type.ofType, depth)
  if (isListType(type)) return fc.array(valuesOf(type.ofType, depth + 1), { maxLength: 3 })
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name))
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < maxDepth || isNonNullType(field.type),
    )
    const known = Object.fromEntries(fields.map((field) => [field.name, valuesOf(field.type, depth + 1)]))
    const required = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name)
    return fc.record(known, { requiredKeys: required })
  }
  if (type.name === 'Int') return fc.integer({ min: -2, max: 200 })
  if (type.name === 'Float') return fc.double({ noNaN: true, noDefaultInfinity: true })
  if (type.name === 'Boolean') return fc.boolean()
  if (type.name === 'String' || type.name === 'ID') return hostileText
  return hostileJson
}
