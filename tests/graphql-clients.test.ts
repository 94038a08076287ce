import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  Client,
  cacheExchange,
  fetchExchange,
  type OperationResult,
  subscriptionExchange,
  gql as urqlGql,
} from '@urql/core'
import { createClient as createSseClient } from 'graphql-sse'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let headers: Record<string, string>
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url, MODEL_ALIASES: 'jan-v1-4b=jan-dev' })
  headers = { ...(await guest(server)).headers }
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

const createConversation = `mutation CreateConversation($title: String!) {
  createConversation(input: { title: $title }) { id title }
}`
const readConversation = `query Conversation($id: ID!) {
  conversation(id: $id) { id title project { id name } items(first: 10) { nodes { role text } } }
}`
const chat = `subscription Chat($input: ChatCompletionInput!) {
  chatCompletion(input: $input) { content finishReason }
}`
const asking = (content: string, model = 'jan-v1-4b') => ({
  input: { model, messages: [{ role: 'USER', content }] },
})
const half = { chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })] }

interface Chunk {
  readonly chatCompletion: { readonly content: string | null; readonly finishReason: string | null }
}
interface Created {
  readonly createConversation: { readonly id: string; readonly title: string }
}
interface Found {
  readonly conversation: { readonly id: string; readonly title: string; readonly project: null } | null
}

const textOf = (chunks: readonly (Chunk | null | undefined)[]) =>
  chunks.map((chunk) => chunk?.chatCompletion.content ?? '').join('')

/** What a client's subscription has delivered: its values, and how it ended. */
interface Delivered<Value> {
  readonly values: Value[]
  readonly error: unknown
}

interface Observer<Value> {
  next(value: Value): void
  error(error: unknown): void
  complete(): void
}

/** @param subscribe starts a subscription; what it returns ends it, `leaveAfter` values later where that is given */
function delivered<Value>(
  subscribe: (observer: Observer<Value>) => () => void,
  leaveAfter = Number.POSITIVE_INFINITY,
): Promise<Delivered<Value>> {
  return new Promise((resolve) => {
    const values: Value[] = []
    const leave = subscribe({
      next(value) {
        values.push(value)
        if (values.length < leaveAfter) return
        // Not in here: the first value may come before `leave` is there, and urql loses what leaving throws in it.
        setImmediate(() => leave())
        resolve({ values, error: undefined })
      },
      error: (error) => resolve({ values, error }),
      complete: () => resolve({ values, error: undefined }),
    })
  })
}

describe('Apollo Client', () => {
  let client: ApolloClient
  beforeAll(() => {
    client = new ApolloClient({
      link: new HttpLink({ uri: `${server.url}/graphql`, headers }),
      cache: new InMemoryCache(),
    })
  })
  afterAll(() => client.stop())

  const subscribeTo = (variables: object, leaveAfter?: number) =>
    delivered<ApolloClient.SubscribeResult<Chunk>>((observer) => {
      const subscription = client.subscribe<Chunk>({ query: gql(chat), variables }).subscribe(observer)
      return () => subscription.unsubscribe()
    }, leaveAfter)

  it('mutates, queries and normalises by the ids of the graph', async () => {
    const { data } = await client.mutate<Created>({
      mutation: gql(createConversation),
      variables: { title: 'By Apollo' },
    })
    const id = data?.createConversation.id
    const read = await client.query<Found>({ query: gql(readConversation), variables: { id } })
    expect(read.data?.conversation).toMatchObject({ id, title: 'By Apollo', project: null })
    expect(client.cache.extract()).toHaveProperty([`Conversation:${id}`, 'title'], 'By Apollo')
  })

  it('subscribes over multipart HTTP, with no more than its HttpLink', async () => {
    const { values, error } = await subscribeTo(asking('Hello!'))
    expect(error).toBeUndefined()
    expect(values.length).toBeGreaterThan(5)
    expect(values.every((value) => value.error === undefined)).toBe(true)
    expect(textOf(values.map(({ data }) => data))).toContain('Hello!')
    expect(values.some(({ data }) => data?.chatCompletion.finishReason === 'stop')).toBe(true)
  })

  it('throws its own errors on ours', async () => {
    const failed = client.mutate({
      mutation: gql`mutation { deleteProject(id: "proj_0000000000000000") { id } }`,
    })
    const error = await failed.catch((thrown: unknown) => thrown)
    if (!CombinedGraphQLErrors.is(error)) throw error
    expect(error.errors).toMatchObject([{ extensions: { code: 'project_not_found' } }])
  })

  it('is told of a refused subscription, and of one that breaks', async () => {
    const refused = await subscribeTo(asking('Hello!', 'no-such-model'))
    expect(refused.values.at(-1)?.error).toMatchObject({
      errors: [{ extensions: { code: 'model_not_found' } }],
    })
    fake.script({ ...half, done: false })
    const { values } = await subscribeTo(asking('Hello!', 'fake-model'))
    expect(textOf(values.map(({ data }) => data))).toBe('half')
    expect(values.at(-1)?.error).toMatchObject({ errors: [{ extensions: { code: 'provider_error' } }] })
  })

  it('stops the provider when it unsubscribes', async () => {
    fake.script({ ...half, hang: 'mid-stream' })
    const arriving = fake.request()
    await subscribeTo(asking('Hello!', 'fake-model'), 1)
    await (await arriving).left()
  })
})

/** The two ways to subscribe that urql's documentation shows. */
const urqlClients: [string, () => Client][] = [
  [
    'its own fetch subscriptions',
    () =>
      new Client({
        url: `${server.url}/graphql`,
        fetchOptions: { headers },
        fetchSubscriptions: true,
        exchanges: [cacheExchange, fetchExchange],
      }),
  ],
  [
    'a graphql-sse subscription exchange',
    () => {
      const sse = createSseClient({ url: `${server.url}/graphql/stream`, headers })
      return new Client({
        url: `${server.url}/graphql`,
        fetchOptions: { headers },
        exchanges: [
          cacheExchange,
          fetchExchange,
          subscriptionExchange({
            forwardSubscription: ({ query, variables }) => ({
              subscribe: (sink) => ({
                unsubscribe: sse.subscribe({ query: query ?? '', variables: variables ?? {} }, sink),
              }),
            }),
          }),
        ],
      })
    },
  ],
]

describe.each(urqlClients)('urql with %s', (_, connect) => {
  let client: Client
  beforeAll(() => {
    client = connect()
  })

  const subscribeTo = (variables: object, leaveAfter?: number) =>
    delivered<OperationResult<Chunk>>((observer) => {
      const ended = client.subscription<Chunk>(urqlGql(chat), variables).subscribe((result) => {
        observer.next(result)
        if (!result.hasNext) observer.complete()
      })
      return () => ended.unsubscribe()
    }, leaveAfter)

  it('mutates and queries', async () => {
    const { data } = await client.mutation<Created>(createConversation, { title: 'By urql' }).toPromise()
    const id = data?.createConversation.id
    const read = await client.query<Found>(readConversation, { id }).toPromise()
    expect(read.error).toBeUndefined()
    expect(read.data?.conversation).toMatchObject({ id, title: 'By urql', project: null })
  })

  it('subscribes', async () => {
    const { values } = await subscribeTo(asking('Hello!'))
    expect(values.length).toBeGreaterThan(5)
    expect(values.every(({ error }) => error === undefined)).toBe(true)
    expect(textOf(values.map(({ data }) => data))).toContain('Hello!')
  })

  it('is told of errors by their codes', async () => {
    const { error } = await client
      .mutation('mutation { deleteProject(id: "proj_0000000000000000") { id } }', {})
      .toPromise()
    expect(error?.graphQLErrors[0]?.extensions).toMatchObject({ code: 'project_not_found' })
    const refused = await subscribeTo(asking('Hello!', 'no-such-model'))
    expect(refused.values.at(-1)?.error?.graphQLErrors[0]?.extensions).toMatchObject({
      code: 'model_not_found',
    })
    fake.script({ ...half, done: false })
    const { values } = await subscribeTo(asking('Hello!', 'fake-model'))
    expect(textOf(values.map(({ data }) => data))).toContain('half')
    expect(values.at(-1)?.error?.graphQLErrors[0]?.extensions).toMatchObject({ code: 'provider_error' })
  })

  it('stops the provider when it unsubscribes', async () => {
    fake.script({ ...half, hang: 'mid-stream' })
    const arriving = fake.request()
    await subscribeTo(asking('Hello!', 'fake-model'), 1)
    await (await arriving).left()
  })
})

describe('graphql-sse', () => {
  it('runs queries, mutations and subscriptions, each on a connection of its own', async () => {
    const client = createSseClient({ url: `${server.url}/graphql/stream`, headers })
    const created = await client
      .iterate<Created>({ query: createConversation, variables: { title: 'By SSE' } })
      .next()
    const id = created.value?.data?.createConversation.id
    const read = await client.iterate<Found>({ query: readConversation, variables: { id } }).next()
    expect(read.value?.data?.conversation).toMatchObject({ id, title: 'By SSE' })
    const chunks: (Chunk | null | undefined)[] = []
    for await (const { data } of client.iterate<Chunk>({ query: chat, variables: asking('Hello!') }))
      chunks.push(data)
    expect(textOf(chunks)).toContain('Hello!')
    client.dispose()
  })

  it('stops the provider when it leaves', async () => {
    fake.script({ ...half, hang: 'mid-stream' })
    const arriving = fake.request()
    const client = createSseClient({ url: `${server.url}/graphql/stream`, headers })
    for await (const _ of client.iterate({ query: chat, variables: asking('Hello!', 'fake-model') })) break
    await (await arriving).left()
  })

  it('is refused at once in single connection mode, which would share one stream among callers', async () => {
    const client = createSseClient({
      url: `${server.url}/graphql/stream`,
      headers,
      singleConnection: true,
      retryAttempts: 0,
    })
    const asked = client.iterate({ query: '{ me { id } }' }).next()
    await expect(asked).rejects.toMatchObject({ response: { status: 405 } })
  })
})
