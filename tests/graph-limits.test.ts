import { beforeAll, describe, expect, it } from '@jest/globals'
import { guest, send, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
}, 60_000)

/** `levels` conversations within projects within conversations, `first` a page. */
function nested(levels: number, first: string): string {
  const inner =
    levels === 0
      ? 'id'
      : `project { conversations(first: ${first}) { nodes { ${nested(levels - 1, first)} } } }`
  return inner
}

const amplified = (levels: number, first: string) =>
  `conversations(first: ${first}) { nodes { ${nested(levels, first)} } }`

/** Fragments that each spread the next one twice: short to write, long to carry out. */
function doublingFragments(count: number): string {
  const fragments = Array.from({ length: count }, (_, at) =>
    at === count - 1
      ? `fragment F${at} on Conversation { id }`
      : `fragment F${at} on Conversation { ...F${at + 1} ...F${at + 1} }`,
  )
  return `{ conversations(first: 1) { nodes { ...F0 } } } ${fragments.join(' ')}`
}

const refusals: readonly [what: string, query: string, variables: object, says: RegExp][] = [
  ['too deep', `{ ${amplified(5, '1')} }`, {}, /depth limit of 15/],
  [
    'with too many aliases',
    `{ ${Array.from({ length: 51 }, (_, at) => `a${at}: me { id }`).join(' ')} }`,
    {},
    /[Aa]liases limit of 50/,
  ],
  [
    'with too many directives',
    `{ me { ${'id @include(if: true) '.repeat(51)} } }`,
    {},
    /[Dd]irectives limit of 50/,
  ],
  ['whose pages multiply', `{ ${amplified(2, '100')} }`, {}, /asks for up to \d+ objects/],
  [
    'whose pages multiply by a variable',
    `query ($n: Int) { ${amplified(2, '$n')} }`,
    { n: 100 },
    /asks for up to \d+ objects/,
  ],
  ['of doubling fragments', doublingFragments(14), {}, /more than 5000 selections/],
]

describe('an operation of a client', () => {
  it.each(refusals)('%s is refused before anything runs', async (_, query, variables, says) => {
    const answer = await client.graphql(query, variables)
    expect(answer.data ?? null).toBeNull()
    expect(answer.errors).toEqual([
      { message: expect.stringMatching(says), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ])
  })

  it('is refused the same on the stream of graphql-sse', async () => {
    const answer = await send(`${server.url}/graphql/stream`, {
      method: 'POST',
      json: { query: `{ ${amplified(2, '100')} }` },
      headers: { ...client.headers, accept: 'text/event-stream' },
    })
    expect(answer.text).toMatch(/asks for up to \d+ objects/)
  })

  it.each([
    ['of fields with one name', `{ ${'me { id } '.repeat(2_000)} }`, "'me' more than 100 times"],
    ['of inline fragments', `{ ${'... { me { id } } '.repeat(1_000)} }`, "'...' more than 100 times"],
    [
      'of fragments',
      `{ ${Array.from({ length: 500 }, (_, at) => `...F${at}`).join(' ')} } ${Array.from({ length: 500 }, (_, at) => `fragment F${at} on Query { me { id } }`).join(' ')}`,
      'more than 200 fragments',
    ],
  ])(
    'that is a crowd %s is refused before it is validated, by whichever way it comes',
    async (_, query, says) => {
      const accept = { accept: 'text/event-stream' }
      const answers = [
        await send(`${server.url}/graphql`, { method: 'POST', json: { query } }),
        await send(`${server.url}/graphql`, { method: 'POST', json: { query }, headers: accept }),
        await send(`${server.url}/graphql/stream`, { method: 'POST', json: { query }, headers: accept }),
      ]
      for (const answer of answers) {
        expect(answer.status).toBe(400)
        expect(answer.json<{ errors: object[] }>().errors).toEqual([
          {
            message: expect.stringContaining(says),
            extensions: expect.objectContaining({ code: 'invalid_parameter' }),
          },
        ])
      }
    },
  )

  it('that is a crowd is refused over GET too', async () => {
    const query = encodeURIComponent(`{${'me{id}'.repeat(500)}}`)
    const answer = await send(`${server.url}/graphql?query=${query}`, {
      headers: { 'apollo-require-preflight': '1' },
    })
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('more than 100 times')])
  })

  it('that joins what the graph was made to join is answered', async () => {
    const query = `query ($n: Int) {
      conversations(first: $n) { totalCount nodes { id project { id name } items(first: 100) { nodes { id model { id } } pageInfo { hasNextPage } } } }
    }`
    expect(await client.graphql(query, { n: 50 })).toEqual({
      data: { conversations: { totalCount: 0, nodes: [] } },
    })
  })

  it('that reads the schema, as explorers do, is answered', async () => {
    const { getIntrospectionQuery } = await import('graphql')
    const { errors } = await client.graphql(getIntrospectionQuery())
    expect(errors).toBeUndefined()
  })
})
