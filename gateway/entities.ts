import type { QueryPlanSelectionNode } from '@apollo/query-planner'
import { Kind } from 'graphql'

type Entity = Record<string, unknown>
type Path = readonly (string | number)[]

/** The objects at a plan's path, in which `@` stands for every entry of a list. Nulls and what is missing are left out. */
export function entitiesAt(data: Entity, path: readonly string[]): readonly Entity[] {
  const found: Entity[] = []
  visitAt(data, path, 0, (entity) => found.push(entity))
  return found
}

/** Where in the answer those objects stand, in the same order. */
export function pathsTo(data: Entity, path: readonly string[]): readonly Path[] {
  const paths: Path[] = []
  visitAt(data, path, 0, (_, at) => paths.push(at), [])
  return paths
}

/** @param at the path so far; nobody asks for it where all goes well */
function visitAt(
  value: unknown,
  path: readonly string[],
  depth: number,
  visit: (entity: Entity, at: Path) => void,
  at?: Path,
): void {
  if (value === null || value === undefined) return
  const step = path[depth]
  if (Array.isArray(value)) {
    const next = step === '@' ? depth + 1 : depth
    for (const [index, entry] of value.entries()) visitAt(entry, path, next, visit, at && [...at, index])
    return
  }
  const entity = value as Entity
  if (step === undefined) visit(entity, at ?? [])
  else if (Object.hasOwn(entity, step)) visitAt(entity[step], path, depth + 1, visit, at && [...at, step])
}

/** What tells a subgraph which object is meant; null for an object of another type, or one whose key is missing. */
export function representationOf(entity: Entity, requires: readonly QueryPlanSelectionNode[]): Entity | null {
  const representation: Entity = {}
  for (const selection of requires) {
    if (selection.kind !== Kind.INLINE_FRAGMENT || selection.typeCondition !== entity.__typename) continue
    merge(representation, selected(entity, selection.selections))
  }
  return representation.__typename === undefined ? null : representation
}

function selected(source: Entity, selections: readonly QueryPlanSelectionNode[]): Entity | null {
  const picked: Entity = {}
  for (const selection of selections) {
    if (selection.kind !== Kind.FIELD) return null
    const name = selection.alias ?? selection.name
    if (!Object.hasOwn(source, name) || source[name] === undefined) return null
    picked[name] = selection.selections ? nested(source[name], selection.selections) : source[name]
  }
  return picked
}

function nested(value: unknown, selections: readonly QueryPlanSelectionNode[]): unknown {
  if (value === null) return null
  if (Array.isArray(value)) return value.map((entry) => nested(entry, selections))
  return selected(value as Entity, selections)
}

/** Adds one fetch's fields to those of another, object by object. What both have is the same, so the later one may win. */
export function merge(target: Entity, source: unknown): void {
  if (!isObject(source)) return
  for (const name of Object.keys(source)) {
    const value = source[name]
    if (Object.hasOwn(target, name)) target[name] = merged(target[name], value)
    else target[name] = value
  }
}

function merged(present: unknown, added: unknown): unknown {
  if (Array.isArray(present) && Array.isArray(added) && present.length === added.length)
    return present.map((entry, at) => merged(entry, added[at]))
  if (!isObject(present) || !isObject(added)) return added
  merge(present, added)
  return present
}

function isObject(value: unknown): value is Entity {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
