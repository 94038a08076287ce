import { existsSync, readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

/** Where OpenAI's OpenAPI document lies where it is at hand: beside the project, not in it. */
const file = new URL('../../shared/spec/openai-openapi.json', import.meta.url)

/** Whether OpenAI's OpenAPI document is at hand. */
export const specificationIsHere = existsSync(file)

/** What a body violates of a named schema of OpenAI's document; empty where all is well. */
export type Violations = (schema: string, body: unknown) => readonly string[]

/** @throws Error where the document is not at hand */
export function openAiSpecification(): Violations {
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false })
  addFormats.default(ajv)
  ajv.addFormat('unixtime', true)
  ajv.addFormat('float', true)
  ajv.addSchema(withoutNullable(JSON.parse(readFileSync(file, 'utf8'))) as object, 'openai')
  const compiled = new Map<string, ValidateFunction>()
  return (schema, body) => {
    const validate = compiled.get(schema) ?? ajv.compile({ $ref: `openai#/components/schemas/${schema}` })
    compiled.set(schema, validate)
    if (validate(body)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}

/** OpenAPI 3.0's `nullable: true` in the words of JSON Schema; the document mixes both. */
function withoutNullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullable)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = value as Record<string, unknown>
  const rewritten = Object.fromEntries(
    Object.entries(rest).map(([key, inner]) => [key, withoutNullable(inner)]),
  )
  return nullable === true ? { anyOf: [rewritten, { type: 'null' }] } : rewritten
}
