import type { JsonSchema } from './schemas.ts'

/**
 * The example of a schema: its own first one, or one put together from those of its parts, literals included.
 * `undefined` where too little is known.
 */
export function exampleOf(schema: JsonSchema, components: Readonly<Record<string, JsonSchema>>): unknown {
  const { examples, $ref, allOf, anyOf, oneOf, properties, items, required } = schema
  const inner = (part: unknown) => exampleOf(part as JsonSchema, components)
  if (Array.isArray(examples)) return examples[0]
  if ('const' in schema) return schema.const
  if (typeof $ref === 'string') return inner(components[$ref.split('/').at(-1) ?? ''] ?? {})
  if (Array.isArray(allOf)) return merged(allOf.map(inner))
  const choices = anyOf ?? oneOf
  if (Array.isArray(choices)) return choices.map(inner).find((example) => example !== undefined)
  if (isObject(properties)) {
    const entries = Object.entries(properties).map(([name, part]) => [name, inner(part)] as const)
    const known = Object.fromEntries(entries.filter(([, example]) => example !== undefined))
    const needed = Array.isArray(required) ? required : []
    return needed.every((name) => Object.hasOwn(known, name)) ? known : undefined
  }
  if (isObject(items)) {
    const example = inner(items)
    return example === undefined ? undefined : [example]
  }
  return schema.type === 'null' ? null : undefined
}

function merged(examples: readonly unknown[]): unknown {
  return examples.every(isObject) ? Object.assign({}, ...examples) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
