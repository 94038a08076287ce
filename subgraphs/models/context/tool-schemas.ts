import type { JsonObject } from '../providers/index.ts'
import { mostSchemaBytes } from './limits.ts'
import { isObject } from './message-text.ts'

/** What explains a schema; the rest of it says what fits. */
const annotations = new Set(['description', 'title', 'examples', 'example', 'default', '$comment'])
/** Where names are the tool's own, not JSON Schema's. */
const namesOfItsOwn = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
/** Where values are data, not schemas. */
const data = new Set(['const', 'enum', 'required'])

/**
 * Tools whose schemas are no longer than contract 2.1 says: what explains a longer one goes, then what is below its first level.
 * The same list where none is longer.
 */
export function withShorterSchemas(tools: readonly JsonObject[]): readonly JsonObject[] {
  const short = tools.map(withShorterSchema)
  return short.some((tool, at) => tool !== tools[at]) ? short : tools
}

function withShorterSchema(tool: JsonObject): JsonObject {
  const { function: called } = tool
  if (!isObject(called) || !isObject(called.parameters) || !isTooLong(called.parameters)) return tool
  return { ...tool, function: { ...called, parameters: shorterSchema(called.parameters) } }
}

function shorterSchema(schema: JsonObject): JsonObject {
  const bare = withoutAnnotations(schema) as JsonObject
  if (!isTooLong(bare)) return bare
  const flat = firstLevel(bare)
  return isTooLong(flat) ? { type: 'object' } : flat
}

function isTooLong(schema: JsonObject): boolean {
  return Buffer.byteLength(JSON.stringify(schema)) > mostSchemaBytes
}

function withoutAnnotations(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutAnnotations)
  if (!isObject(schema)) return schema
  const kept = Object.entries(schema).filter(([key]) => !annotations.has(key))
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (data.has(key)) return [key, value]
      return [key, namesOfItsOwn.has(key) ? withoutAnnotationsOfEach(value) : withoutAnnotations(value)]
    }),
  )
}

function withoutAnnotationsOfEach(named: unknown): unknown {
  if (!isObject(named)) return named
  return Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, withoutAnnotations(schema)]))
}

/** The names and kinds of what a tool takes. */
function firstLevel({ type = 'object', properties, required, additionalProperties }: JsonObject): JsonObject {
  const named = isObject(properties) ? Object.entries(properties) : []
  return {
    type,
    properties: Object.fromEntries(
      named.map(([name, schema]) => [
        name,
        isObject(schema) && 'type' in schema ? { type: schema.type } : {},
      ]),
    ),
    ...(required === undefined ? {} : { required }),
    ...(typeof additionalProperties === 'boolean' ? { additionalProperties } : {}),
  }
}
