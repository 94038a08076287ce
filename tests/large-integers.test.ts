import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { clientOf, send } from './client.ts'
import { expectEnvelope, expectHarmless } from './fuzz/expect-harmless.ts'
import type { JsonSchema } from './fuzz/values-of-schema.ts'
import { everyFeature, type SharedServer, sharedTestServer } from './shared-server.ts'

interface JsonContent {
  readonly schema: JsonSchema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
interface Operation {
  readonly parameters?: readonly { readonly name?: string; readonly in?: string; readonly example?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, JsonContent>> }
}

const document = JSON.parse(readFileSync(new URL('../schema/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JsonSchema> }
}

type Path = readonly (string | number)[]

/** Where a body of that schema may have a whole number; of lists the first entry. */
function integerPaths(schema: JsonSchema, path: Path = [], seen: readonly string[] = []): Path[] {
  const { $ref, type, properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = schema
  if ($ref !== undefined) {
    const named = document.components.schemas[$ref.split('/').at(-1) ?? '']
    return named && !seen.includes($ref) ? integerPaths(named, path, [...seen, $ref]) : []
  }
  return [
    ...([type].flat().includes('integer') ? [path] : []),
    ...Object.entries(properties).flatMap(([name, inner]) => integerPaths(inner, [...path, name], seen)),
    ...(items ? integerPaths(items, [...path, 0], seen) : []),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((inner) => integerPaths(inner, path, seen)),
  ]
}

/** The value with another one at that place; what leads there and is missing is made. */
function withValue(value: unknown, [step, ...rest]: Path, placed: number): unknown {
  if (step === undefined) return placed
  if (typeof step === 'number') return [withValue(Array.isArray(value) ? value[0] : undefined, rest, placed)]
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  return { ...fields, [step]: withValue(fields[step], rest, placed) }
}

const cases = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { parameters = [], requestBody }]) => {
    const content = requestBody?.content['application/json']
    if (!content) return []
    const examples = Object.fromEntries(parameters.map(({ name, example }) => [name, example]))
    const target = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(examples[name] ?? 'x'))
    const body = content.example ?? Object.values(content.examples ?? {})[0]?.value ?? {}
    const fields = new Map(integerPaths(content.schema).map((place) => [place.join('.'), place]))
    return [...fields].map(([field, place]) => ({ method, target, field, place, body }))
  }),
)

let server: SharedServer
beforeAll(async () => {
  server = await sharedTestServer(everyFeature)
}, 60_000)

describe('whole numbers beyond 32 and 53 bits', () => {
  it('are looked for in the bodies of many routes', () => {
    expect(cases.map(({ target, field }) => `${target} ${field}`)).toEqual(
      expect.arrayContaining([
        '/v1/chat/completions max_tokens',
        '/v1/users/me/settings memory_config.max_user_items',
        '/v1/memory/load options.max_user_items',
      ]),
    )
  })

  it.each(cases)('are taken or refused: $method $target $field', async ({ method, target, place, body }) => {
    const { headers } = clientOf(server, server.adminKey)
    for (const value of [2 ** 31, -(2 ** 31) - 1, 2 ** 40, Number.MAX_SAFE_INTEGER, 1e300]) {
      const json = withValue(body, place, value)
      const { status, text } = await send(`${server.url}${target}`, {
        method: method.toUpperCase(),
        headers,
        json,
      })
      const asked = `${method} ${target} ${JSON.stringify(json)}`
      expectHarmless(status, text, asked)
      expectEnvelope(status, text, asked)
    }
  })
})
