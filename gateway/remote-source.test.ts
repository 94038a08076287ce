import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ExecutionResult, parse } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { AppError } from '../platform/errors.ts'
import type { Graph } from '../platform/graph.ts'
import { createInternalTokens } from '../platform/internal-token.ts'
import { createLogger } from '../platform/log.ts'
import { noTracing } from '../platform/tracing/tracing.ts'
import type { GraphSource } from './graph-source.ts'
import { createSubgraphHttp } from './http/subgraph-http.ts'
import { localSource } from './local-source.ts'
import { remoteSource } from './remote-source.ts'

const typeDefs = parse(`
  type Query { greeting(to: String!): String! failing: String }
  type Subscription { ticks(to: Int!, label: Label): Tick! refused: Tick! }
  type Tick { at: Int! square(plus: Int = 0): Int! label: String }
  input Label { text: String! }
`)
const refuse = () => {
  throw new AppError('not_found', 'There is no such thing.', { param: 'id' })
}
const resolvers = {
  Query: { greeting: (_: unknown, { to }: { to: string }) => `Hello ${to}`, failing: refuse },
  Subscription: {
    ticks: {
      async *subscribe(_: unknown, { to, label }: { to: number; label?: { text: string } }) {
        for (let at = 1; at <= to; at += 1) yield { ticks: { at, label: label?.text } }
        if (to > 2) refuse()
      },
    },
    refused: { subscribe: refuse },
  },
  Tick: { square: ({ at }: { at: number }, { plus }: { plus: number }) => at * at + plus },
}

const log = createLogger({ level: 'silent', format: 'json' })
const tokens = createInternalTokens('a root secret for tests only')
const subgraph = {
  schema: buildSubgraphSchema({ typeDefs, resolvers: resolvers as never }),
  createContext: (request: RequestContext) => ({ request, clearLoaders: () => undefined }),
}
const context = {
  actor: null,
  requestId: 'req_test',
  signal: new AbortController().signal,
  log,
  client: { ip: null, userAgent: null },
} as unknown as RequestContext

let server: Server
let remote: GraphSource
const local = localSource(subgraph)
beforeAll(async () => {
  const app = await createSubgraphHttp({
    name: 'tested',
    tracing: noTracing,
    draining: new AbortController().signal,
    subgraph,
    graph: {} as Graph,
    tokens,
    log,
    maxBodyBytes: 100_000,
    ready: async () => undefined,
  })
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  remote = remoteSource({ name: 'test', url: `http://127.0.0.1:${port}`, tokens })
})
afterAll(async () => {
  await remote.close?.()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function request(text: string, variables: Record<string, unknown> = {}) {
  return { document: parse(text), text, operationName: undefined, variables, context }
}

async function everything(source: GraphSource, text: string, variables?: Record<string, unknown>) {
  const opened = await source.subscribe(request(text, variables))
  if (!(Symbol.asyncIterator in opened)) return [plain(opened)]
  const events: unknown[] = []
  for await (const event of opened) events.push(plain(event))
  return events
}

/** What travels: where in the document an error stands does not. */
function plain(result: ExecutionResult): unknown {
  const { data = null, errors } = JSON.parse(JSON.stringify(result)) as ExecutionResult
  return { data, errors: errors?.map(({ message, path, extensions }) => ({ message, path, extensions })) }
}

describe('a subgraph behind HTTP', () => {
  it.each([
    ['query ($to: String!) { greeting(to: $to) }', { to: 'you' }],
    ['{ failing greeting(to: "me") }', {}],
  ])('answers as it does in this process: %s', async (text, variables) => {
    const answer = plain(await remote.execute(request(text, variables)))
    expect(answer).toEqual(plain(await local.execute(request(text, variables))))
    expect(answer).toMatchObject({ data: { greeting: expect.any(String) } })
  })

  it.each([
    ['subscription { ticks(to: 2) { at square } }', {}, 2],
    ['subscription ($to: Int!) { ticks(to: $to) { at } }', { to: 2 }, 2],
    [
      'subscription ($to: Int!, $label: Label, $plus: Int) { ticks(to: $to, label: $label) { label square(plus: $plus) } }',
      { to: 2, label: { text: 'tick' }, plus: 10 },
      2,
    ],
    [
      'subscription ($plus: Int = 5, $no: Boolean!) { t: ticks(to: 1) { at @skip(if: $no) square(plus: $plus) } }',
      { no: true },
      1,
    ],
    ['subscription { ...root } fragment root on Subscription { ticks(to: 2) { at } }', {}, 2],
    ['subscription { ticks(to: 3) { at } }', {}, 4],
    ['subscription { refused { at } }', {}, 1],
    ['subscription ($to: Int!) { ticks(to: $to) { at } }', { to: 'two' }, 1],
  ])('streams as it does in this process: %s', async (text, variables, count) => {
    const events = await everything(remote, text, variables)
    expect(events).toEqual(await everything(local, text, variables))
    expect(events).toHaveLength(count)
  })

  it('is told apart from one that can’t be reached', async () => {
    const nobody = remoteSource({ name: 'gone', url: 'http://127.0.0.1:1', tokens })
    const { errors } = await nobody.execute(request('{ failing }'))
    expect(errors?.[0]?.extensions.code).toBe('service_unavailable')
    await nobody.close?.()
  })
})
