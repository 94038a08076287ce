import { composeServices } from '@apollo/composition'
import { Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type DocumentNode, type ExecutionResult, Kind, parse, print, visit } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { AppError } from '../platform/errors.ts'
import { createLogger } from '../platform/log.ts'
import { type CommittedPlans, committedPlan, plansOnFile } from './committed-plans.ts'
import { localSource } from './local-source.ts'
import { planOperation } from './operation-planner.ts'
import { createOperationRunner, type OperationRunner } from './operation-runner.ts'
import type { PlannedOperation } from './planned-operation.ts'

const head = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible", "@shareable", "@external"])`

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
    shelves: [[Shelf]]
    shadow: Genre
  }
  type Mutation { rename(id: ID!, title: String!): Book! }
  type Subscription { ticks(to: Int!): Tick! }
  type Tick { at: Int! book: Book }
  enum Genre { POEM NOVEL DRAFT @inaccessible }
  interface Thing { id: ID! }
  type Book implements Thing @key(fields: "id") { id: ID! title: String! genre: Genre tags: [String] author: Author price: Int! }
  type Pen implements Thing { id: ID! colour: String! }
  type Author @key(fields: "id", resolvable: false) { id: ID! }
  type Shelf @key(fields: "id place { row }") { id: ID! place: Place! books: [Book!]! }
  type Place { row: Int! }
`)
const authors = parse(`${head}
  type Query { author(id: ID!): Author authors: [Author] }
  type Author @key(fields: "id") {
    id: ID! name: String! motto: String mottoHard: String! greeting(to: String = "you"): String!
    rival: Author nearest: [Creature!] favourite: Book
  }
  type Book @key(fields: "id") { id: ID! author_count: Int rating(scale: Int! = 1): Int! }
  type Shelf @key(fields: "id place { row }") { id: ID! place: Place! @external dust: Int! }
  type Place { row: Int! @external }
  interface Creature { name: String! }
  type Cat implements Creature { name: String! lives: Int! }
  type Dog implements Creature { name: String! owner: Author }
`)

const shelf = [
  { id: '1', title: 'One', genre: 'POEM', tags: ['a', null], author: { id: 'x' }, price: 3 },
  { id: '2', title: 'Two', genre: 'NOVEL', tags: null, author: null, price: null },
  { id: '3', title: 'Three', genre: null, tags: [], author: { id: 'gone' }, price: 5 },
  { id: '4', title: 'Four', genre: 'POEM', tags: [], author: { id: 'y' }, price: 7 },
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
    shelves: () => [
      [{ id: 's1', place: { row: 1 }, books: shelf.slice(0, 2) }, null],
      null,
      [],
      [{ id: 's2', place: { row: 2 }, books: [] }],
    ],
    shadow: () => 'DRAFT',
  },
  Mutation: {
    rename: (_: unknown, { id, title }: { id: string; title: string }) => ({ ...find(id), title }),
  },
  Subscription: { ticks: { subscribe: (_: unknown, { to }: { to: number }) => ticks(to) } },
}
const people: Record<string, object> = {
  x: {
    id: 'x',
    name: 'Xenia',
    motto: 'Onward',
    mottoHard: 'Onward',
    rival: { id: 'y' },
    favourite: { id: '2' },
  },
  y: { id: 'y', name: 'Yu', motto: refuse, mottoHard: refuse, rival: { id: 'x' }, favourite: null },
}
const authorResolvers = {
  Query: {
    author: (_: unknown, { id }: { id: string }) => people[id],
    authors: () => [people.x, null, people.y],
  },
  Author: {
    __resolveReference: ({ id }: { id: string }) => people[id] ?? null,
    greeting: ({ name }: { name: string }, { to }: { to: string }) => `${name} greets ${to}`,
    rival: ({ rival }: { rival: { id: string } }) => people[rival.id],
    nearest: ({ id }: { id: string }) => [
      { __typename: 'Cat', name: 'Tom', lives: 9 },
      { __typename: 'Dog', name: 'Rex', owner: people[id] },
    ],
  },
  Book: {
    __resolveReference: ({ id }: { id: string }) => (id === '2' ? refuse() : { id }),
    author_count: ({ id }: { id: string }) => Number(id),
    rating: ({ id }: { id: string }, { scale }: { scale: number }) =>
      id === '3' ? refuse() : Number(id) * scale,
  },
  Shelf: {
    __resolveReference: (key: object) => key,
    dust: ({ place }: { place: { row: number } }) => place.row * 10,
  },
}

let direct: OperationRunner
let planned: OperationRunner
let trusted: OperationRunner
let fromFile: OperationRunner
/** The operations of which a plan was on file. */
const found = new Set<string>()
beforeAll(() => {
  const composed = composeServices([
    { name: 'books', typeDefs: books, url: 'http://books' },
    { name: 'authors', typeDefs: authors, url: 'http://authors' },
  ])
  const { supergraphSdl } = composed
  if (!supergraphSdl) throw new Error(composed.errors?.map(({ message }) => message).join('\n'))
  const supergraph = Supergraph.build(supergraphSdl)
  const planner = new QueryPlanner(supergraph, { exposeDocumentNodeInFetchNode: true })
  const createContext = (request: RequestContext) => ({ request, clearLoaders: () => undefined })
  const sources = {
    books: localSource({
      schema: buildSubgraphSchema({ typeDefs: books, resolvers: resolvers as never }),
      createContext,
    }),
    authors: localSource({
      schema: buildSubgraphSchema({ typeDefs: authors, resolvers: authorResolvers as never }),
      createContext,
    }),
  }
  const federated = supergraph.apiSchema()
  const view = { federated, graphql: federated.toGraphQLJSSchema(), limits: null, hidesSuggestions: false }
  const runnerOf = (plan: (operation: PlannedOperation) => PlannedOperation) =>
    createOperationRunner({
      plan: (document, operationName) => plan(planOperation(view, planner, document, operationName)),
      sources,
      checked: view,
    })
  direct = runnerOf((operation) => operation)
  planned = runnerOf((operation) => ({ ...operation, direct: null, plain: null }))

  const { schema } = supergraph
  const whole = {
    federated: schema,
    graphql: schema.toGraphQLJSSchema(),
    limits: null,
    hidesSuggestions: false,
  }
  const fresh = (document: DocumentNode) => planOperation(whole, planner, document, undefined)
  trusted = createOperationRunner({ plan: fresh, sources, checked: null })
  fromFile = createOperationRunner({
    plan(document) {
      const committed = committedPlan(document, fresh(document))
      const file: CommittedPlans = committed ? JSON.parse(JSON.stringify({ Own: committed })) : {}
      const operation = plansOnFile(file, supergraphSdl)(document)
      if (operation) found.add(print(document))
      return operation ?? fresh(document)
    },
    sources,
    checked: null,
  })
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
]

const joins: [query: string, variables?: Record<string, unknown>][] = [
  ['{ books(first: 3) { title author { name } } }'],
  ['{ books(first: 4) { title author { id name motto } } }'],
  ['{ books(first: 4) { title author { id mottoHard } } }'],
  ['{ books(first: 2) { id rating } }'],
  ['{ books(first: 3) { id rating } }'],
  [
    '{ one: book(id: "1") { count: author_count r: rating } four: book(id: "4") { author_count twice: rating(scale: 2) } }',
  ],
  ['{ book(id: "2") { title author_count } other: book(id: "1") { author_count } }'],
  ['{ book(id: "nobody") { title author { name } } }'],
  ['{ failing books { author { name } } author(id: "y") { name motto } }'],
  ['{ failingHard book(id: "1") { author { name } } }'],
  ['{ shadow book(id: "1") { author { name } } }'],
  ['{ book(id: "1") { author { name rival { name rival { name } } } } }'],
  ['{ authors { name favourite { id title price } } }'],
  ['{ authors { favourite { title author { name } } } }'],
  ['{ shelves { id dust books { title author { name } rating } } }'],
  [
    '{ author(id: "x") { nearest { __typename name ... on Cat { lives } ... on Dog { owner { name favourite { title } } } } } }',
  ],
  [
    '{ anything { __typename id ... on Book { title author { ...who } rating } } } fragment who on Author { name ... { motto } }',
  ],
  [
    'query ($to: String, $n: Int!) { book(id: "1") { author { greeting(to: $to) } rating(scale: $n) } }',
    { to: 'all', n: 3 },
  ],
  ['query ($to: String, $n: Int! = 5) { book(id: "1") { author { greeting(to: $to) } rating(scale: $n) } }'],
  ['query ($n: Int!) { book(id: "1") { rating(scale: $n) } }', { n: 'three' }],
  [
    'query ($who: Boolean = true) { book(id: "1") { title @skip(if: $who) author @include(if: $who) { name } } }',
  ],
  [
    'query ($who: Boolean!) { book(id: "1") { title author { name @include(if: $who) id } } }',
    { who: false },
  ],
  [
    'query ($who: Boolean!) { book(id: "1") { title ...part @include(if: $who) } } fragment part on Book { tags author { name } }',
    { who: true },
  ],
  [
    'query ($representations: Int!) { book(id: "1") { rating(scale: $representations) } }',
    { representations: 2 },
  ],
  ['{ book(id: "1") { __typename kind: __typename author { __typename name } } __typename }'],
  ['{ book(id: "1") { title title author { name } author { id name } } }'],
  ['{ book(id: "1") { __proto__: title constructor: title toString: author { name } } }'],
  ['{ book(id: "1") { constructor: title toString: author { valueOf: name } hasOwnProperty: rating } }'],
  ['{ __schema { queryType { name } } book(id: "1") { author { name } } }'],
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
    const collect = (runner: OperationRunner) => collected(runner, parse(query))
    const events = await collect(direct)
    expect(events.length).toBeGreaterThan(1)
    expect(events).toEqual(await collect(planned))
  })
})

describe('a join of several fetches, run by our own executor', () => {
  it.each(joins)('answers as Apollo’s does: %s', async (query, variables = {}) => {
    const run = (runner: OperationRunner) => runner.execute({ document: parse(query), variables, context })
    expect(plain(await run(direct))).toEqual(plain(await run(planned)))
  })

  it('is what the cases above exercise: most have data, some of it beside errors', async () => {
    const results = await Promise.all(
      joins.map(([query, variables = {}]) => direct.execute({ document: parse(query), variables, context })),
    )
    expect(results.filter(({ data }) => data != null).length).toBeGreaterThan(20)
    expect(results.filter(({ data, errors }) => data != null && errors).length).toBeGreaterThan(4)
  })

  it('joins each event of a subscription', async () => {
    const query = 'subscription { ticks(to: 2) { at book { title author { name } } } }'
    const collect = (runner: OperationRunner) => collected(runner, parse(query))
    const events = await collect(direct)
    expect(events[0]).toEqual({
      data: { ticks: { at: 1, book: { title: 'One', author: { name: 'Xenia' } } } },
    })
    expect(events).toEqual(await collect(planned))
  })
})

describe('a plan that is on file', () => {
  const stream = 'subscription { ticks(to: 3) { at } }'
  const joined = 'subscription { ticks(to: 2) { at book { title author { name } } } }'

  it.each([...operations, ...joins])(
    'answers as one that is made afresh: %s',
    async (query, variables = {}) => {
      const run = (runner: OperationRunner) => runner.execute({ document: named(query), variables, context })
      expect(plain(await run(fromFile))).toEqual(plain(await run(trusted)))
    },
  )

  it.each([stream, joined])('streams as one that is made afresh: %s', async (query) => {
    const run = (runner: OperationRunner) => collected(runner, named(query))
    const events = await run(fromFile)
    expect(events.length).toBeGreaterThan(1)
    expect(events).toEqual(await run(trusted))
  })

  it('is what the cases above ran, but for what is not valid and what is left to Apollo', () => {
    expect(found.size).toBeGreaterThan(40)
    expect(found).toContain(print(named(stream)))
    expect(found).toContain(print(named(joined)))
    expect(found).not.toContain(print(named('{ __schema { queryType { fields { name } } } }')))
  })

  it('is not taken for another operation of its name', () => {
    const committed = { document: print(named('{ secret }')), direct: true, plan: {} as never }
    const planned = plansOnFile({ Own: committed }, '')
    expect(() => planned(named('{ secret }'))).toThrow()
    expect(planned(named('{ broken }'))).toBeNull()
    expect(planned(parse('{ secret }'))).toBeNull()
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

/** The platform's own operations have names. */
function named(query: string): DocumentNode {
  return visit(parse(query), {
    [Kind.OPERATION_DEFINITION]: (node) => ({ ...node, name: { kind: Kind.NAME, value: 'Own' } as const }),
  })
}

async function collected(runner: OperationRunner, document: DocumentNode): Promise<unknown[]> {
  const opened = await runner.subscribe({ document, variables: {}, context })
  if (!(Symbol.asyncIterator in opened)) return [plain(opened)]
  const events: unknown[] = []
  for await (const event of opened) events.push(plain(event))
  return events
}

/** What a client would see; where in the document an error stands is told by the path alone. */
function plain(result: ExecutionResult): unknown {
  const { errors, ...rest } = JSON.parse(JSON.stringify(result)) as {
    errors?: { locations?: unknown; path?: unknown[] }[]
  }
  if (!errors) return rest
  return {
    ...rest,
    errors: errors.map(({ locations: _, ...error }) => ({ ...error, path: ownSteps(error.path) })),
  }
}

/** Of a fetch that failed as a whole Apollo tells how it was made: below the first list nothing is known. */
function ownSteps(path: readonly unknown[] = []): readonly unknown[] {
  const end = path.findIndex((step) => step === '@' || step === '_entities')
  return end === -1 ? path : path.slice(0, end)
}
