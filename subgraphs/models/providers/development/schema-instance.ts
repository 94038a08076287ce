import { isObject } from '../parse-object.ts'
import type { JsonObject } from '../provider.ts'

/** Beyond this depth optional properties are left out and lists kept as short as they may be, so that recursion ends. */
const fullDepth = 4
/** A schema that requires itself has no finite instance. */
const maxDepth = 24
/** Places that are filled at most: one that names itself twice, or lists of lists, would be millions. What is beyond them is null. */
const mostPlaces = 10_000

const formats: Readonly<Record<string, string>> = {
  'date-time': '2025-01-01T00:00:00Z',
  date: '2025-01-01',
  time: '00:00:00Z',
  duration: 'P1D',
  email: 'user@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  'uri-reference': '/',
  uuid: '00000000-0000-4000-8000-000000000000',
}

/** An instance of a JSON schema, always the same for the same schema. What it says of a value beforehand (const, default, examples, enum) is used. */
export function schemaInstance(schema: unknown): unknown {
  return instance(schema, { root: schema, depth: 0, budget: { left: mostPlaces } })
}

interface Place {
  readonly root: unknown
  readonly depth: number
  /** Of the whole instance: how many more places may be looked at. */
  readonly budget: { left: number }
}

function instance(schema: unknown, place: Place): unknown {
  if (!isObject(schema) || !mayGoOn(place)) return null
  const resolved = resolve(schema, place)
  const given = givenValue(resolved)
  if (given !== undefined) return given
  const chosen = isObject(resolved.not) ? undefined : alternative(resolved, place)
  return chosen === undefined ? typedInstance(resolved, place) : instance(chosen, deeper(place))
}

function mayGoOn({ depth, budget }: Place): boolean {
  budget.left -= 1
  return depth <= maxDepth && budget.left > 0
}

function givenValue(schema: JsonObject): unknown {
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0]
  return Array.isArray(schema.enum) ? schema.enum[0] : undefined
}

/** Follows `$ref` and merges `allOf` into one schema. */
function resolve(schema: JsonObject, place: Place): JsonObject {
  if (!mayGoOn(place)) return {}
  let resolved = schema
  for (let hops = 0; typeof resolved.$ref === 'string' && hops < maxDepth; hops++) {
    const { $ref, ...beside } = resolved
    resolved = { ...referenced($ref as string, place.root), ...beside }
  }
  const parts = Array.isArray(resolved.allOf) ? resolved.allOf.filter(isObject) : []
  return parts.reduce<JsonObject>((merged, part) => merge(merged, resolve(part, deeper(place))), resolved)
}

function referenced(ref: string, root: unknown): JsonObject {
  const path = ref.replace(/^#\/?/, '').split('/').filter(Boolean)
  const target = path.reduce<unknown>((node, key) => {
    const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')
    return isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined
  }, root)
  return isObject(target) ? target : {}
}

function merge(a: JsonObject, b: JsonObject): JsonObject {
  const { allOf: _, ...rest } = { ...b, ...a }
  const properties = { ...objectOf(a.properties), ...objectOf(b.properties) }
  const required = [...listOf(a.required), ...listOf(b.required)]
  return {
    ...rest,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  }
}

/** The branch of anyOf or oneOf to fill, joined with what stands beside it. Deep down a `null` branch ends a recursion. */
function alternative(schema: JsonObject, { depth }: Place): JsonObject | undefined {
  const branches = [schema.anyOf, schema.oneOf].find((list) => Array.isArray(list) && list.length > 0)
  if (!Array.isArray(branches)) return undefined
  const scalar =
    depth > fullDepth
      ? branches.find(
          (branch) => isObject(branch) && branch.type !== 'object' && branch.type !== 'array' && !branch.$ref,
        )
      : undefined
  const branch: unknown = scalar ?? branches[0]
  const { anyOf: _, oneOf: __, ...beside } = schema
  return isObject(branch) ? merge(branch, beside) : beside
}

function typedInstance(schema: JsonObject, place: Place): unknown {
  const type = typeOf(schema, place)
  if (type === 'object') return objectInstance(schema, place)
  if (type === 'array') return arrayInstance(schema, place)
  if (type === 'number' || type === 'integer') return numberInstance(schema, type)
  if (type === 'boolean') return true
  return type === 'null' ? null : stringInstance(schema)
}

function typeOf(schema: JsonObject, { depth }: Place): unknown {
  if (Array.isArray(schema.type))
    return depth > fullDepth && schema.type.includes('null') ? 'null' : schema.type[0]
  if (schema.type !== undefined) return schema.type
  if (schema.properties || schema.required || schema.additionalProperties) return 'object'
  if (schema.items || schema.prefixItems) return 'array'
  return schema.minimum !== undefined || schema.maximum !== undefined
    ? 'number'
    : depth === 0
      ? 'object'
      : 'string'
}

function objectInstance(schema: JsonObject, place: Place): JsonObject {
  const properties = objectOf(schema.properties)
  const required = listOf(schema.required).filter((name) => typeof name === 'string')
  const names = place.depth > fullDepth ? required : [...new Set([...Object.keys(properties), ...required])]
  // fromEntries defines its keys, so that a property called __proto__ is one like any other.
  return Object.fromEntries(
    names.map((name) => [
      name,
      Object.hasOwn(properties, name) ? instance(properties[name], deeper(place)) : stringInstance({}),
    ]),
  )
}

function arrayInstance(schema: JsonObject, place: Place): unknown[] {
  const prefix = listOf(schema.prefixItems)
  const least = typeof schema.minItems === 'number' ? schema.minItems : 0
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : Number.POSITIVE_INFINITY
  const wished =
    place.depth > fullDepth || schema.items === false ? prefix.length : Math.max(prefix.length, 1)
  const length = Math.min(Math.max(least, wished), most, 1_000)
  return Array.from({ length }, (_, index) => {
    const item = instance(
      prefix[index] ?? (isObject(schema.items) ? schema.items : { type: 'string' }),
      deeper(place),
    )
    return schema.uniqueItems === true && index > 0 ? distinct(item, index) : item
  })
}

function distinct(item: unknown, index: number): unknown {
  if (typeof item === 'number') return item + index
  return typeof item === 'string' ? `${item}${index}` : item
}

function numberInstance(schema: JsonObject, type: 'number' | 'integer'): number {
  const step = number(schema.multipleOf) ?? (type === 'integer' ? 1 : 0)
  const nudge = step || 0.5
  const above = number(schema.exclusiveMinimum)
  const below = number(schema.exclusiveMaximum)
  const low = Math.max(number(schema.minimum) ?? -Infinity, above ?? -Infinity)
  const high = Math.min(number(schema.maximum) ?? Infinity, below ?? Infinity)
  const start = low !== -Infinity ? low : high !== Infinity ? Math.min(1, high) : 1
  const aligned = step
    ? (low !== -Infinity ? Math.ceil(start / step) : Math.floor(start / step) || (high >= step ? 1 : 0)) *
      step
    : start
  if (aligned === above) return aligned + (step || Math.min(nudge, (high - aligned) / 2))
  return aligned === below ? aligned - nudge : aligned
}

function stringInstance(schema: JsonObject): string {
  const byFormat = typeof schema.format === 'string' ? formats[schema.format] : undefined
  // A pattern is not obeyed: it is a program of whoever sends it, and may run for ever.
  const text = byFormat ?? 'text'
  const least = number(schema.minLength) ?? 0
  const most = number(schema.maxLength) ?? Number.POSITIVE_INFINITY
  return text.padEnd(Math.min(least, 10_000), 'x').slice(0, most)
}

function deeper({ depth, ...place }: Place): Place {
  return { ...place, depth: depth + 1 }
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
