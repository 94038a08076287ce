import {
  GraphQLBoolean,
  type GraphQLCompositeType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLOutputType,
  GraphQLString,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'

/** Makes a field's value out of what a subgraph gave for it; `invalid` where there must be one and is none. */
export type Completer = (value: unknown) => unknown

/** In place of a value that may not be null and is: its parent becomes null. */
export const invalid: unique symbol = Symbol('invalid')

/** @param objects makes the completer of an object, an interface or a union */
export function completerOf(
  type: GraphQLOutputType,
  objects: (type: GraphQLCompositeType) => Completer,
): Completer {
  if (isNonNullType(type)) return required(completerOf(type.ofType, objects))
  if (isListType(type)) return list(completerOf(type.ofType, objects))
  if (isLeafType(type)) return leaf(type)
  const complete = objects(type)
  return (value) => (typeof value === 'object' && value !== null ? complete(value) : null)
}

function required(complete: Completer): Completer {
  return (value) => complete(value) ?? invalid
}

function list(complete: Completer): Completer {
  return (value) => {
    if (!Array.isArray(value)) return null
    const completed: unknown[] = []
    for (const entry of value) {
      const one = complete(entry)
      if (one === invalid) return null
      completed.push(one)
    }
    return completed
  }
}

/** A value that this view does not know, as an enum's hidden one, is none. */
function leaf(type: GraphQLLeafType): Completer {
  const isValid = leafCheck(type)
  return (value) => (value !== undefined && value !== null && isValid(value) ? value : null)
}

function leafCheck(type: GraphQLLeafType): (value: unknown) => boolean {
  if (isEnumType(type)) {
    const names = new Set<unknown>(type.getValues().map(({ name }) => name))
    return (value) => names.has(value)
  }
  return builtInChecks.get(type.name) ?? (() => true)
}

/** Looked up by name: a schema built from its text has scalars of its own. */
const builtInChecks: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  [GraphQLString.name, (value: unknown) => typeof value === 'string'],
  [GraphQLBoolean.name, (value: unknown) => typeof value === 'boolean'],
  [GraphQLFloat.name, (value: unknown) => typeof value === 'number'],
  [GraphQLInt.name, (value: unknown) => Number.isInteger(value)],
  [GraphQLID.name, (value: unknown) => typeof value === 'string' || Number.isInteger(value)],
])
