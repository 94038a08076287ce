import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { guest, send } from './client.ts'
import { expectEnvelope, expectHarmless } from './fuzz/expect-harmless.ts'
import { fuzzRuns } from './fuzz/fuzz-runs.ts'
import { brokenBody, hostileJson, hostileText } from './fuzz/hostile-values.ts'
import { type JsonSchema, valuesOf } from './fuzz/values-of-schema.ts'
import { everyFeature, type SharedServer, sharedTestServer } from './shared-server.ts'

interface Parameter {
  readonly $ref?: string
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: JsonSchema
}
interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
}

const document = JSON.parse(readFileSync(new URL('../schema/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

/** What a `$ref` of the document names. */
function resolve<Found>(ref: string): Found {
  return ref
    .replace('#/', '')
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document) as Found
}

let server: SharedServer
let model: string
beforeAll(async () => {
  server = await sharedTestServer(everyFeature)
  const models = await (await guest(server)).get('/v1/models')
  model = models.json<{ data: { id: string }[] }>().data[0]?.id as string
}, 60_000)

/** Chats reach a model now and then, or nothing behind the first look would be tried. */
function bodiesOf(operation: Operation): fc.Arbitrary<string | Uint8Array | undefined> {
  const schema = operation.requestBody?.content['application/json']?.schema
  if (!schema) return fc.oneof(fc.constant(undefined), brokenBody)
  const values = valuesOf(schema, resolve<JsonSchema>)
  const reaching = values.map((value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && 'model' in value
      ? { ...value, model }
      : value,
  )
  const asText = (value: unknown) => JSON.stringify(value)
  return fc.oneof(
    { weight: 4, arbitrary: values.map(asText) },
    { weight: 4, arbitrary: reaching.map(asText) },
    { weight: 1, arbitrary: hostileJson.map(asText) },
    { weight: 1, arbitrary: brokenBody },
  )
}

const contentTypes = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/json') },
  fc.constantFrom('text/plain', 'application/xml', 'multipart/form-data', 'application/json; charset=utf-16'),
)

interface FuzzedRequest {
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  readonly body: string | Uint8Array | undefined
  readonly contentType: string
}

function requestsOf(operation: Operation): fc.Arbitrary<FuzzedRequest> {
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameter.$ref === undefined ? parameter : resolve<Parameter>(parameter.$ref),
  )
  const texts = (place: Parameter['in']) =>
    Object.fromEntries(
      parameters
        .filter((parameter) => parameter.in === place)
        .map(({ name, schema }) => [
          name,
          fc.oneof(
            hostileText,
            valuesOf(schema, resolve<JsonSchema>).map((value) => String(JSON.stringify(value))),
          ),
        ]),
    )
  return fc.record({
    path: fc.record(texts('path')),
    query: fc.record(texts('query'), { requiredKeys: [] }),
    body: bodiesOf(operation),
    contentType: contentTypes,
  })
}

function targetOf(path: string, { path: values, query }: FuzzedRequest): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(values[name] ?? '') || 'x')
  const search = Object.entries(query).map(([name, value]) => `${name}=${encoded(value ?? '')}`)
  return search.length > 0 ? `${filled}?${search.join('&')}` : filled
}

/** Percent-encoded; lone surrogates, which no URL can hold, come as bytes that are no UTF-8. */
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ff%fe'
}

/** Routes that have nothing to answer with on this server: it has no identity provider. */
const unconfigured = new Set(['/auth/login', '/auth/keycloak/login'])

describe('whatever is sent to a route, it answers without a failure of ours and tells nothing of our insides', () => {
  it.each(operations)(
    '$method $path',
    async ({ path, method, operation }) => {
      const { headers } = await guest(server)
      await fc.assert(
        fc.asyncProperty(requestsOf(operation), async (request) => {
          const target = targetOf(path, request)
          const hasBody = method !== 'get' && request.body !== undefined
          const answer = await send(`${server.url}${target}`, {
            method: method.toUpperCase(),
            redirect: 'manual',
            signal: AbortSignal.timeout(15_000),
            headers: { ...headers, 'content-type': request.contentType },
            ...(hasBody ? { body: request.body as string } : {}),
          })
          const asked = `${method} ${target.slice(0, 300)} ${String(request.body).slice(0, 300)}`
          const isExpected = answer.status === 503 && unconfigured.has(path)
          expectHarmless(isExpected ? 200 : answer.status, answer.text, asked)
          expectEnvelope(answer.status, answer.text, asked)
        }),
        fuzzRuns(25),
      )
    },
    120_000,
  )
})

describe('whatever stands in a header', () => {
  const names = [
    'authorization',
    'x-api-key',
    'x-request-id',
    'idempotency-key',
    'accept',
    'content-type',
    'x-forwarded-for',
    'origin',
    'traceparent',
    'x-provider-data',
  ]
  const values = hostileText.map((text) => text.replace(/[^\x21-\x7e\x80-\xff]/g, '').slice(0, 2_000))
  it('it is answered or refused in the envelope', async () => {
    const { headers } = await guest(server)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), values, async (name, value) => {
        const answer = await send(`${server.url}/v1/projects`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json', [name]: value },
          body: '{"name":"x"}',
        })
        const asked = `${name}: ${value}`
        expectHarmless(answer.status, answer.text, asked)
        expectEnvelope(answer.status, answer.text, asked)
        expect(answer.headers.get('x-request-id')).toMatch(/\S/)
      }),
      fuzzRuns(150),
    )
  }, 120_000)
})
