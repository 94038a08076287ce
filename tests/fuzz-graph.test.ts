import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { buildSchema, type GraphQLOutputType, getNamedType, isObjectType } from 'graphql'
import { type Answer, guest, send, type TestClient } from './client.ts'
import { expectHarmless } from './fuzz/expect-harmless.ts'
import { fuzzRuns } from './fuzz/fuzz-runs.ts'
import { operationOf } from './fuzz/graph-operations.ts'
import { brokenBody, hostileJson, hostileText } from './fuzz/hostile-values.ts'
import { everyFeature, type SharedServer, sharedTestServer } from './shared-server.ts'

const schema = buildSchema(readFileSync(new URL('../schema/api.graphql', import.meta.url), 'utf8'))
const roots = [
  ['query', schema.getQueryType()],
  ['mutation', schema.getMutationType()],
  ['subscription', schema.getSubscriptionType()],
] as const
/** Whether events come until their reader leaves. */
function isLive(type: GraphQLOutputType): boolean {
  const named = getNamedType(type)
  return isObjectType(named) && named.getInterfaces().some(({ name }) => name === 'LiveEvent')
}

const operations = roots.flatMap(([kind, type]) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({
    kind,
    name: field.name,
    isLive: isLive(field.type),
    ...operationOf(kind, field),
  })),
)

let server: SharedServer
let model: string
beforeAll(async () => {
  server = await sharedTestServer(everyFeature)
  const models = await (await guest(server)).get('/v1/models')
  model = models.json<{ data: { id: string }[] }>().data[0]?.id as string
}, 60_000)

const glanceMs = 100

/** What comes of a stream at once: one that goes on is left then. */
async function glanceAt(url: string, init: RequestInit): Promise<Pick<Answer, 'status' | 'text'>> {
  const leaving = new AbortController()
  const response = await fetch(url, { ...init, signal: leaving.signal })
  const leave = setTimeout(() => leaving.abort(), glanceMs)
  let text = ''
  try {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString()
  } catch (error) {
    if (!leaving.signal.aborted) throw error
  }
  clearTimeout(leave)
  return { status: response.status, text }
}

/** Sends a body to the graph and holds what comes to what every answer promises. */
async function ask(
  client: TestClient,
  path: string,
  body: string | Uint8Array,
  accept: string,
  isEndless = false,
) {
  const answer = await (isEndless ? glanceAt : send)(`${server.url}${path}`, {
    method: 'POST',
    signal: AbortSignal.timeout(15_000),
    headers: { ...client.headers, 'content-type': 'application/json', accept },
    body: body as string,
  })
  const asked = `${path} ${String(body).slice(0, 2_000)}`
  expectHarmless(answer.status, answer.text, asked)
  if (answer.text.includes('"code":"internal"'))
    throw new Error(`A failure of ours: ${asked}\n${answer.text}`)
  return answer
}

/** Half of the chats reach a model. */
function reaching(variables: Record<string, unknown>, chance: boolean): Record<string, unknown> {
  const { input } = variables
  const isChat = typeof input === 'object' && input !== null && 'model' in input
  return chance && isChat ? { ...variables, input: { ...input, model } } : variables
}

describe('whatever is asked of a field, it answers without a failure of ours and tells nothing of our insides', () => {
  it.each(operations)(
    '$kind $name',
    async ({ kind, isLive: isEndless, query, variables }) => {
      const client = await guest(server)
      const [path, accept] =
        kind === 'subscription'
          ? (['/graphql/stream', 'text/event-stream'] as const)
          : (['/graphql', 'application/json'] as const)
      // An operation that the schema refuses would try nothing.
      const probe = await ask(client, path, JSON.stringify({ query, variables: {} }), accept, isEndless)
      expect(probe.text).not.toContain('GRAPHQL_VALIDATION_FAILED')
      await fc.assert(
        fc.asyncProperty(variables, fc.boolean(), async (values, chance) => {
          const body = JSON.stringify({ query, variables: reaching(values, chance) })
          const answer = await ask(client, path, body, accept, isEndless)
          expect([200, 400, 401]).toContain(answer.status)
        }),
        fuzzRuns(25),
      )
    },
    120_000,
  )
})

describe('whatever stands in place of an operation', () => {
  const bodies = fc.oneof(
    fc
      .record(
        {
          query: fc.oneof(hostileText, hostileJson, documents()),
          variables: hostileJson,
          operationName: fc.oneof(hostileText, hostileJson),
          extensions: hostileJson,
        },
        { requiredKeys: [] },
      )
      .map((body) => JSON.stringify(body)),
    fc
      .array(fc.constant({ query: '{ __typename }' }), { maxLength: 5 })
      .map((batch) => JSON.stringify(batch)),
    brokenBody,
  )
  it.each([
    ['/graphql', 'application/json'],
    ['/graphql', 'application/graphql-response+json'],
    ['/graphql', 'multipart/mixed;subscriptionSpec=1.0, application/json'],
    ['/graphql/stream', 'text/event-stream'],
  ])(
    'it is answered by %s as %s',
    async (path, accept) => {
      const client = await guest(server)
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const answer = await ask(client, path, body, accept)
          expect(answer.status).toBeLessThan(500)
        }),
        fuzzRuns(60),
      )
    },
    120_000,
  )
})

/** Documents with a fault in them, or a trap. */
function documents(): fc.Arbitrary<string> {
  return fc.constantFrom(
    '{',
    '{ me { id',
    '{ __schema { types { name } } }',
    '{ me { ...F } } fragment F on User { ...F }',
    'query A { __typename } query B { __typename }',
    'fragment F on User { id }',
    'mutation { guestLogin }',
    '{ me { id @skip(if: true) @include(if: false) @skip(if: true) } }',
    `{ ${'a: __typename '.repeat(200)} }`,
    `{ conversations(first: 2147483648) { nodes { id } } }`,
    `query ($${'v'.repeat(3_000)}: Int) { __typename }`,
    `{ conversation(id: """${'x'.repeat(3_000)}""") { id } }`,
    '{ _service { sdl } }',
    '{ _entities(representations: [{ __typename: "User", id: "1" }]) { __typename } }',
    '{ verifyCredentials(input: {}) { __typename } }',
    'subscription { chatCompletion { content } }',
    '# only a comment',
    '\u0000{ __typename }',
  )
}
