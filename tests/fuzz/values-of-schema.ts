import fc from 'fast-check'
import { hostileJson, hostileText } from './hostile-values.ts'

/** As much of JSON Schema as the OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
}

const maxDepth = 5

/** Mostly what a limit or a count may be; now and then what GraphQL's or PostgreSQL's integers can't hold. */
const integers = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -2, max: 200 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, -(2 ** 31) - 1, 2 ** 40, Number.MAX_SAFE_INTEGER) },
)

/**
 * Values that look like what a schema asks for, with something hostile in one place out of five.
 * @param resolve finds what a `$ref` names
 */
export function valuesOf(
  schema: JsonSchema,
  resolve: (ref: string) => JsonSchema,
  depth = 0,
): fc.Arbitrary<unknown> {
  const fitting = fittingValues(schema, resolve, depth)
  return fc.oneof({ weight: 4, arbitrary: fitting }, { weight: 1, arbitrary: hostileJson })
}

function fittingValues(
  schema: JsonSchema,
  resolve: (ref: string) => JsonSchema,
  depth: number,
): fc.Arbitrary<unknown> {
  if (depth > maxDepth) return hostileJson
  const into = (inner: JsonSchema) => valuesOf(inner, resolve, depth + 1)
  if (schema.$ref !== undefined) return fittingValues(resolve(schema.$ref), resolve, depth + 1)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (choices) return fc.oneof(...choices.map(into))
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  const [first, ...others] = types.map((type) => valuesOfType(type, schema, into))
  return first ? fc.oneof(first, ...others) : hostileJson
}

function valuesOfType(
  type: string,
  schema: JsonSchema,
  into: (inner: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  if (type === 'string') return hostileText
  if (type === 'integer') return integers
  if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true })
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  if (type === 'array') return fc.array(into(schema.items ?? {}), { maxLength: 3 })
  return objectsOf(schema, into)
}

function objectsOf(
  { properties = {}, required = [] }: JsonSchema,
  into: (inner: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const known = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, into(inner)]))
  return fc
    .tuple(
      fc.record(known, { requiredKeys: required.filter((name) => name in known) }),
      fc.dictionary(hostileText, hostileJson, { maxKeys: 1 }),
    )
    .map(([asked, unasked]) => ({ ...unasked, ...asked }))
}
