import { z } from 'zod'

/** A JSON Schema of the 2020-12 dialect, which is OpenAPI 3.1's. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Whether a schema is about what clients send or about what they get: defaults and optional fields differ. */
export type Direction = 'input' | 'output'

/** Turns zod schemas into JSON Schema; those with an `id` in their `meta` become components that others refer to. */
export interface SchemaCollection {
  /** @throws Error where two schemas of one `id` differ */
  jsonSchema(schema: z.ZodType, direction: Direction): JsonSchema
  readonly components: Readonly<Record<string, JsonSchema>>
}

const here = '#/$defs/'
const there = '#/components/schemas/'

export function schemaCollection(): SchemaCollection {
  const components: Record<string, JsonSchema> = {}
  const keep = (name: string, schema: JsonSchema) => {
    const known = components[name]
    if (known && JSON.stringify(known) !== JSON.stringify(schema))
      throw new Error(`two different schemas are called ${name}`)
    components[name] = schema
  }
  return {
    components,
    jsonSchema(schema, direction) {
      const converted = z.toJSONSchema(schema, {
        io: direction,
        unrepresentable: 'any',
        override: ({ jsonSchema }) => simplify(jsonSchema),
      })
      const {
        $schema: _,
        $defs = {},
        ...rest
      } = withMovedReferences(converted) as JsonSchema & {
        $defs?: Record<string, JsonSchema>
      }
      for (const [name, definition] of Object.entries($defs)) keep(name, definition)
      return rest
    },
  }
}

/** Says no more than is meant: answers may gain fields, and a format needs no pattern beside it. */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.format === 'date-time') delete schema.pattern
}

function withMovedReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMovedReferences)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, inner.replace(here, there)]
        : [key, withMovedReferences(inner)],
    ),
  )
}
