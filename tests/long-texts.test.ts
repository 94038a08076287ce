import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, it } from '@jest/globals'
import fc from 'fast-check'
import { buildSchema } from 'graphql'
import { type Answer, clientOf, guest, send, type TestClient } from './client.ts'
import { operationOf } from './fuzz/graph-operations.ts'
import { startTestServer, type TestServer } from './server.ts'
import { everyFeature } from './shared-server.ts'

interface JsonBody {
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
  readonly example?: unknown
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, JsonBody>> }
}
type Path = readonly (string | number)[]

/** What a pattern that looks back at each of its characters takes minutes for. */
const length = 200_000
const limitMs = 10_000
const units = ['x', ' ', '@', '.', '-', '[', '](', '{{', '<think>', '\\', '\u0301']
const longTexts = units.map((unit) => unit.repeat(Math.ceil(length / unit.length)))
/** The same services are behind the graph's fields: what only those take is tried with fewer. */
const fewTexts = longTexts.filter((text) => /^[x@[]/.test(text))

const document = JSON.parse(readFileSync(new URL('../schema/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
}
const bodies = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { requestBody }]) => {
    const { examples, example } = requestBody?.content['application/json'] ?? {}
    const values = example === undefined ? Object.values(examples ?? {}).map(({ value }) => value) : [example]
    return values.length > 0 ? [{ method, path, values }] : []
  }),
)

const schema = buildSchema(readFileSync(new URL('../schema/api.graphql', import.meta.url), 'utf8'))
const operations = (['query', 'mutation'] as const).flatMap((kind) => {
  const type = kind === 'query' ? schema.getQueryType() : schema.getMutationType()
  return Object.values(type?.getFields() ?? {}).flatMap((field) => {
    const { query, variables } = operationOf(kind, field)
    const values = fc.sample(variables, { seed: 1, numRuns: 3 })
    return values.some((value) => placesOfTexts(value).length > 0)
      ? [{ kind, name: field.name, query, values }]
      : []
  })
})

let server: TestServer
let user: TestClient
let admin: TestClient
let ids: Readonly<Record<string, string>>
beforeAll(async () => {
  server = await startTestServer(everyFeature)
  user = await guest(server)
  admin = clientOf(server, server.adminKey)
  const conversation = (await user.post('/v1/conversations', {})).json<{ id: string }>().id
  const said = { items: [{ role: 'user', content: 'Hello' }] }
  const items = await user.post(`/v1/conversations/${conversation}/items`, said)
  const project = (await user.post('/v1/projects', { name: 'A project' })).json<{ id: string }>().id
  ids = {
    conversation_id: conversation,
    item_id: items.json<{ data: { id: string }[] }>().data[0]?.id ?? '',
    project_id: project,
  }
}, 60_000)
afterAll(() => server?.stop())

it.each(bodies)(
  'a long text in any place of the body of $method $path is read or refused soon',
  async ({ method, path, values }) => {
    const { headers } = path.startsWith('/v1/admin/') ? admin : user
    const url = server.url + path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'x')
    await sendAll(values, longTexts, (json, signal) =>
      send(url, { method: method.toUpperCase(), headers, signal, json }),
    )
  },
  120_000,
)

it.each(operations)(
  'a long text in any variable of $kind $name is read or refused soon',
  async ({ query, values }) => {
    const { headers } = user
    await sendAll(values, fewTexts, (variables, signal) =>
      send(`${server.url}/graphql`, { method: 'POST', headers, signal, json: { query, variables } }),
    )
  },
  120_000,
)

/** Sends the values with each of their texts replaced by long ones. */
async function sendAll(
  values: readonly unknown[],
  texts: readonly string[],
  sendOne: (value: unknown, signal: AbortSignal) => Promise<Answer>,
): Promise<void> {
  const tried = new Set<string>()
  for (const value of values)
    for (const place of placesOfTexts(value)) {
      if (tried.has(place.join('.'))) continue
      tried.add(place.join('.'))
      for (const text of texts) {
        const asked = `${place.join('.')}: ${JSON.stringify(text.slice(0, 10))}`
        const answer = await sendOne(withText(value, place, text), AbortSignal.timeout(limitMs)).catch(
          (error: unknown) => Promise.reject(new Error(asked, { cause: error })),
        )
        if (answer.status >= 500 && answer.status !== 501) throw new Error(`${asked}: ${answer.text}`)
      }
    }
}

/** Where texts stand in a value. */
function placesOfTexts(value: unknown): Path[] {
  if (typeof value === 'string') return [[]]
  if (typeof value !== 'object' || value === null) return []
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([key, inner]) =>
    placesOfTexts(inner).map((rest) => [isList ? Number(key) : key, ...rest]),
  )
}

/** The value with another text in one place. */
function withText(value: unknown, [key, ...rest]: Path, text: string): unknown {
  if (key === undefined) return text
  if (Array.isArray(value))
    return value.map((inner, at) => (at === key ? withText(inner, rest, text) : inner))
  const object = value as Record<string, unknown>
  return { ...object, [key]: withText(object[key], rest, text) }
}
