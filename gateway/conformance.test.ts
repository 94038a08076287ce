import { composeServices } from '@apollo/composition'
import { Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type ExecutionResult, parse } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { AppError } from '../platform/errors.ts'
import { createLogger } from '../platform/log.ts'
import { localSource } from './local-source.ts'
import { createOperationRunner, type OperationRunner } from './operation-runner.ts'

const head = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible", "@shareable"])`

const books = parse(`${head}
  scalar JSON
  type Query {
    book(id: ID!): Book
    books(first: Int = 2, genre: Genre): [Book!]!
    anything: [Thing!]!
    failing: String
    failingHard: String!
    broken: String
    echo(value: JSON): JSON
    secret: String @inaccessible
  }
  type Mutation { rename(id: ID!, title: String!): Book! }
  type Subscription { ticks(to: Int!): Tick! }
  type Tick { at: Int! book: Book }
  enum Genre { POEM NOVEL }
  interface Thing { id: ID! }
  type Book implements Thing @key(fields: "id") { id: ID! title: String! genre: Genre tags: [String] author: Author price: Int! }
  type Pen implements Thing { id: ID! colour: String! }
  type Author @key(fields: "id", resolvable: false) { id: ID! }
`)
const authors = parse(`${head}
  type Query { author(id: ID!): Author }
  type Author @key(fields: "id") { id: ID! name: String! }
`)

const shelf = [
  { id: '1', title: 'One', genre: 'POEM', tags: ['a', null], author: { id: 'x' }, price: 3 },
  { id: '2', title: 'Two', genre: 'NOVEL', tags: null, author: null, price: null },
  { id: '3', title: 'Three', genre: null, tags: [], author: { id: 'gone' }, price: 5 },
]
const find = (id: string) => shelf.find((book) => book.id === id) ?? null
const refuse = () => {
  throw new AppError('not_found', 'There is no such thing.', { param: 'id' })
}

async function* ticks(to: number) {
  for (let at = 1; at <= to; at += 1) yield { ticks: { at, book: find(String(at)) } }
  if (to > 2) refuse()
}

const resolvers = {
  Query: {
    book: (_: unknown, { id }: { id: string }) => find(id),
    books: (_: unknown, { first, genre }: { first: number; genre?: string }) =>
      shelf.filter((book) => !genre || book.genre === genre).slice(0, first),
    anything: () => [
      { __typename: 'Book', ...shelf[0] },
      { __typename: 'Pen', id: 'p', colour: 'blue' },
    ],
    failing: refuse,
    failingHard: refuse,
    broken: () => {
      throw new Error('password=hunter2')
    },
    echo: (_: unknown, { value }: { value: unknown }) => value,
    secret: () => 'hidden',
  },
  Mutation: {
    rename: (_: unknown, { id, title }: { id: string; title: string }) => ({ ...find(id), title }),
  },
  Subscription: { ticks: { subscribe: (_: unknown, { to }: { to: number }) => ticks(to) } },
}
const authorResolvers = {
  Author: { __resolveReference: ({ id }: { id: string }) => (id === 'x' ? { id, name: 'Xenia' } : null) },
}

let direct: OperationRunner
let planned: OperationRunner
beforeAll(() => {
  const composed = composeServices([
    { name: 'books', typeDefs: books, url: 'http://books' },
    { name: 'authors', typeDefs: authors, url: 'http://authors' },
  ])
  if (!composed.supergraphSdl) throw new Error(composed.errors?.map(({ message }) => message).join('\n'))
  const supergraph = Supergraph.build(composed.supergraphSdl)
  const planner = new QueryPlanner(supergraph, { exposeDocumentNodeInFetchNode: true })
  const createContext = (request: RequestContext) => ({ request, clearLoaders: () => undefined })
  const sources = {
    books: localSource({
      schema: buildSubgraphSchema({ typeDefs: books, resolvers: resolvers as never }),
      createContext,
    }),
    authors: localSource({
      schema: buildSubgraphSchema({ typeDefs: authors, resolvers: authorResolvers }),
      createContext,
    }),
  }
  const federated = supergraph.apiSchema()
  const parts = {
    view: { federated, graphql: federated.toGraphQLJSSchema(), limits: null, hidesSuggestions: false },
    planner,
    sources,
    checkVariables: true,
  }
  direct = createOperationRunner(parts)
  planned = createOperationRunner({ ...parts, alwaysPlanned: true })
})

const context = {
  actor: null,
  requestId: 'req_test',
  signal: new AbortController().signal,
  log: createLogger({ level: 'silent', format: 'json' }),
  client: { ip: null, userAgent: null },
} as unknown as RequestContext

const operations: [query: string, variables?: Record<string, unknown>][] = [
  ['{ book(id: "1") { id title genre tags } }'],
  ['{ one: book(id: "1") { name: title } two: book(id: "nobody") { title } }'],
  ['query ($id: ID!) { book(id: $id) { title } }', { id: '2' }],
  ['query ($id: ID!) { book(id: $id) { title } }', {}],
  ['query ($id: ID!) { book(id: $id) { title } }', { id: { not: 'an id' } }],
  ['query ($n: Int = 3) { books(first: $n) { id } }'],
  ['query ($n: Int) { books(first: $n, genre: NOVEL) { id } }', { n: 1, unused: true }],
  ['query ($g: Genre) { books(genre: $g) { genre } }', { g: 'POEM' }],
  ['query ($g: Genre) { books(genre: $g) { genre } }', { g: 'CRIME' }],
  [
    'query ($yes: Boolean!, $no: Boolean!) { books { id @include(if: $no) title @skip(if: $no) genre @include(if: $yes) } }',
    { yes: true, no: false },
  ],
  [
    'query ($no: Boolean!) { books @include(if: $no) { id } failing @skip(if: true) book(id: "1") { id } }',
    { no: false },
  ],
  ['{ book(id: "1") { ...parts } } fragment parts on Book { title tags }'],
  ['{ anything { id __typename ... on Book { title } ... on Pen { colour } } }'],
  ['{ anything { id } }'],
  ['{ failing book(id: "1") { title } }'],
  ['{ failingHard }'],
  ['{ books(first: 3) { id price } }'],
  ['{ broken }'],
  ['query ($v: JSON) { echo(value: $v) }', { v: { a: [1, { b: null }], __typename: 'x' } }],
  ['{ echo(value: {deep: {list: [1, 2]}, text: "t"}) }'],
  ['{ secret }'],
  ['{ nothing }'],
  ['mutation { rename(id: "1", title: "Uno") { id title } }'],
  ['mutation { a: rename(id: "1", title: "A") { title } b: rename(id: "9", title: "B") { title } }'],
  ['{ __typename book(id: "1") { __typename } }'],
  ['{ __schema { queryType { fields { name } } } }'],
  ['{ books(first: 3) { title author { name } } }'],
]

describe('a single fetch, run straight on its subgraph', () => {
  it.each(operations)('answers as the plan’s executor does: %s', async (query, variables = {}) => {
    const run = (runner: OperationRunner) => runner.execute({ document: parse(query), variables, context })
    expect(plain(await run(direct))).toEqual(plain(await run(planned)))
  })

  it('is what the cases above exercise: most have data', async () => {
    const results = await Promise.all(
      operations.map(([query, variables = {}]) =>
        direct.execute({ document: parse(query), variables, context }),
      ),
    )
    expect(results.filter(({ data }) => data != null).length).toBeGreaterThan(15)
  })

  it.each([
    ['subscription { ticks(to: 2) { at book { title } } }'],
    ['subscription { ticks(to: 3) { at } }'],
    ['subscription { t: ticks(to: 2) { ...tick } } fragment tick on Tick { n: at }'],
  ])('streams as it does: %s', async (query) => {
    const collect = async (runner: OperationRunner) => {
      const opened = await runner.subscribe({ document: parse(query), variables: {}, context })
      if (!(Symbol.asyncIterator in opened)) return [plain(opened)]
      const events: unknown[] = []
      for await (const event of opened) events.push(plain(event))
      return events
    }
    const events = await collect(direct)
    expect(events.length).toBeGreaterThan(1)
    expect(events).toEqual(await collect(planned))
  })
})

describe('failures', () => {
  it('of a resolver carry their code, type and param', async () => {
    const { errors } = await direct.execute({ document: parse('{ failing }'), variables: {}, context })
    expect(plain({ errors: errors ?? [] })).toEqual({
      errors: [
        {
          message: 'There is no such thing.',
          path: ['failing'],
          extensions: { code: 'not_found', type: 'not_found_error', param: 'id' },
        },
      ],
    })
  })

  it('that nobody foresaw are masked', async () => {
    const result = await direct.execute({ document: parse('{ broken }'), variables: {}, context })
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(result.errors?.[0]?.extensions.code).toBe('internal')
  })
})

/** What a client would see; where in the document an error stands is told by the path alone. */
function plain(result: ExecutionResult): unknown {
  const { errors, ...rest } = JSON.parse(JSON.stringify(result)) as { errors?: { locations?: unknown }[] }
  if (!errors) return rest
  return { ...rest, errors: errors.map(({ locations: _, ...error }) => error) }
}
