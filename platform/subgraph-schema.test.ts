import { buildSubgraphSchema } from '@apollo/subgraph'
import { describe, expect, it } from '@jest/globals'
import { type GraphQLSchema, graphql, parse, printSchema } from 'graphql'
import { subgraphSchema } from './subgraph-schema.ts'

const head =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible"])'
const library = `${head}
  scalar Time
  """What a reader may hold."""
  interface Thing @key(fields: "id") { id: ID! }
  type Book implements Thing @key(fields: "id") { id: ID! title(in: Language! = EN): String! secret: String @inaccessible }
  type Pen implements Thing @key(fields: "id") { id: ID! colour: Colour @deprecated(reason: "All are blue.") }
  type Shelf @key(fields: "id", resolvable: false) { id: ID! }
  enum Colour { BLUE RED }
  enum Language { EN DE }
  input Range { first: Int = 2 last: Int! }
  union Found = Book | Pen
  type Query { found(range: Range): [Found!]! at: Time }
  extend type Query { more: Shelf }
  type Subscription { ticks: Int! }
`
const withoutEntities = `${head} type Query { hello(to: String = "you"): String! }`

const resolvers = {
  Time: { name: 'Time', serialize: () => 'now' },
  Query: { found: () => [{ id: 'b1', __typename: 'Book' }], at: () => 0, more: () => ({ id: 's' }) },
  Found: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
  Colour: { BLUE: 1, RED: 2 },
  Thing: {
    __resolveReference: ({ id }: { id: string }) => ({ id, __typename: id.startsWith('b') ? 'Book' : 'Pen' }),
    __resolveType: ({ __typename }: { __typename: string }) => __typename,
  },
  Book: {
    __resolveReference: async ({ id }: { id: string }) => (id === 'gone' ? null : { id }),
    title: ({ id }: { id: string }, { in: language }: { in: string }) => `${id} in ${language}`,
  },
  Pen: {
    __resolveReference({ id }: { id: string }) {
      if (id === 'broken') throw new Error('The pen is broken.')
      return { id, colour: 2 }
    },
  },
  Subscription: { ticks: { subscribe: () => undefined, resolve: () => 1 } },
}

const built = buildSubgraphSchema({ typeDefs: parse(library), resolvers: resolvers as never })
const ours = subgraphSchema(await sdlOf(built), resolvers)

async function sdlOf(schema: GraphQLSchema): Promise<string> {
  const { data } = await graphql({ schema, source: '{ _service { sdl } }' })
  return (data as { _service: { sdl: string } })._service.sdl
}

const entities = (...representations: object[]) => ({
  source: `query ($representations: [_Any!]!) {
    _entities(representations: $representations) {
      __typename ... on Book { title english: title(in: EN) } ... on Pen { id colour } ... on Shelf { id }
    }
  }`,
  variableValues: { representations },
})

describe('the schema of a subgraph, made of its whole SDL', () => {
  it('prints as the one that @apollo/subgraph makes of the SDL that was written', () => {
    expect(printSchema(ours)).toBe(printSchema(built))
  })

  it('tells that SDL when it is asked for its service', async () => {
    expect(await sdlOf(ours)).toBe(await sdlOf(built))
  })

  it.each([
    ['of a type', { __typename: 'Book', id: 'b1' }],
    ['that is gone', { __typename: 'Book', id: 'gone' }],
    ['without a resolver of references', { __typename: 'Shelf', id: 's1' }],
    ['of an interface', { __typename: 'Thing', id: 'p1' }],
    ['that fails', { __typename: 'Pen', id: 'broken' }],
    ['of a type that there is not', { __typename: 'Chair', id: 'c1' }],
  ])('answers for an entity %s as it does', async (_, representation) => {
    const asked = entities(representation, { __typename: 'Pen', id: 'p2' })
    const answer = await graphql({ schema: ours, ...asked })
    expect(JSON.stringify(answer)).toBe(JSON.stringify(await graphql({ schema: built, ...asked })))
    expect(answer.data ?? answer.errors).toBeDefined()
  })

  it.each([
    '{ found { ... on Book { title(in: DE) } } at more { id } }',
    '{ found(range: { last: 1 }) { __typename } }',
    '{ found(range: { first: 1 }) { __typename } }',
    '{ __type(name: "Pen") { fields(includeDeprecated: true) { name deprecationReason } } }',
  ])('executes as it does: %s', async (source) => {
    const answer = await graphql({ schema: ours, source })
    expect(JSON.stringify(answer)).toBe(JSON.stringify(await graphql({ schema: built, source })))
  })

  it('keeps how a subscription is opened', () => {
    const field = ours.getSubscriptionType()?.getFields().ticks
    expect(field?.subscribe).toBe(resolvers.Subscription.ticks.subscribe)
    expect(field?.resolve).toBe(resolvers.Subscription.ticks.resolve)
  })

  it('has no entities where there are none', async () => {
    const whole = await sdlOf(buildSubgraphSchema({ typeDefs: parse(withoutEntities) }))
    const plain = subgraphSchema(whole, { Query: { hello: (_: unknown, { to }: { to: string }) => to } })
    expect(plain.getQueryType()?.getFields()).not.toHaveProperty('_entities')
    expect((await graphql({ schema: plain, source: '{ hello }' })).data).toEqual({ hello: 'you' })
  })

  it('is refused where the SDL is not a whole one', () => {
    expect(() => subgraphSchema('type Book { id: ID! }', {})).toThrow('it is not a whole one')
  })
})
