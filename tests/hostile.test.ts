import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip as gzipping } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let provider: FakeProvider
let server: TestServer
let client: TestClient
beforeAll(async () => {
  provider = await startFakeProvider()
  server = await startTestServer({ REMOTE_LLM_PROVIDER_URL: provider.url })
  client = await guest(server)
}, 60_000)
afterAll(async () => {
  await server.stop()
  await provider.close()
})

interface GraphAnswer {
  data?: Record<string, unknown> | null
  errors?: { message: string; extensions: Record<string, unknown> }[]
}

const gzip = promisify(gzipping)
const json = { 'content-type': 'application/json' }
const events = { ...json, accept: 'text/event-stream' }
const stream = () => `${server.url}/graphql/stream`
const graph = (body: object, headers: Record<string, string> = json) =>
  send(`${server.url}/graphql`, {
    method: 'POST',
    headers: { ...client.headers, ...headers },
    body: JSON.stringify(body),
  })
const ask =
  'subscription { chatCompletion(input: { model: "fake-model", messages: [{ role: USER, content: "x" }] }) { content } }'

async function rawAnswer(...pieces: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  for (const piece of pieces) socket.write(piece)
  const closing = setTimeout(() => socket.end(), 1_000)
  const answer = await text(socket)
  clearTimeout(closing)
  return answer
}

describe('/graphql/stream', () => {
  it('has no connection that callers could share', async () => {
    expect((await send(stream(), { method: 'PUT' })).status).toBe(405)
    expect((await send(stream(), { headers: { accept: 'text/event-stream' } })).status).toBe(400)
    const answer = await send(stream(), {
      method: 'POST',
      headers: { ...client.headers, ...json, 'x-graphql-event-stream-token': 'shared' },
      body: JSON.stringify({ query: '{ me { id } }', extensions: { operationId: '1' } }),
    })
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('"me":{"id":')
  })

  it('runs no mutation over GET', async () => {
    const query = encodeURIComponent('mutation { guestLogin { accessToken } }')
    for (const path of ['/graphql', '/graphql/stream']) {
      const answer = await send(`${server.url}${path}?query=${query}`, {
        headers: { accept: 'text/event-stream' },
      })
      expect({ path, status: answer.status, allow: answer.headers.get('allow') }).toEqual({
        path,
        status: 405,
        allow: 'POST',
      })
    }
  })

  it('refuses what it can’t read or answer with a code', async () => {
    const codeOf = async (init: RequestInit) => {
      const answer = await send(stream(), { method: 'POST', ...init })
      return [answer.status, answer.json<GraphAnswer>().errors?.[0]?.extensions.code]
    }
    expect(await codeOf({ headers: events, body: '{"query":1}' })).toEqual([400, 'invalid_parameter'])
    expect(await codeOf({ headers: events, body: '[]' })).toEqual([400, 'invalid_parameter'])
    expect(await codeOf({ headers: { accept: 'text/event-stream' }, body: '{}' })).toEqual([
      415,
      'unsupported_media_type',
    ])
    expect(await codeOf({ headers: { ...json, accept: 'image/png' }, body: '{}' })).toEqual([
      406,
      'not_acceptable',
    ])
    expect(await codeOf({ method: 'DELETE' })).toEqual([405, 'method_not_allowed'])
  })

  it('tells values that are nested too deeply apart as a syntax error', async () => {
    const query = `{ conversation(id: ${'['.repeat(3_000)}${']'.repeat(3_000)}) { id } }`
    const answer = await send(stream(), {
      method: 'POST',
      headers: { ...client.headers, ...events },
      body: JSON.stringify({ query }),
    })
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('GRAPHQL_PARSE_FAILED')
  })

  it('holds the provider back while the client does not read', async () => {
    const whole = 120_000_000
    provider.script({
      text: Array(whole / 1_000)
        .fill('y'.repeat(999))
        .join(' '),
    })
    const arrival = provider.request()
    const body = JSON.stringify({ query: ask })
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write(
      `POST /graphql/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\nAccept: text/event-stream\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    const request = await arrival
    let sent = -1
    while (request.bytesSent > sent) {
      sent = request.bytesSent
      await sleep(500)
    }
    expect(sent).toBeLessThan(whole * 0.6)
    const left = request.left()
    socket.destroy()
    await left
  }, 30_000)
})

describe('/graphql', () => {
  it('runs nothing when the operation that is named is not there', async () => {
    const query = 'mutation Make { createProject(input: { name: "by the wrong name" }) { id } }'
    for (const operationName of ['Other', '']) {
      const answer = await graph({ query, operationName })
      expect(answer.status).toBe(200)
      expect(answer.json<GraphAnswer>().errors?.[0]?.extensions.code).toBe('OPERATION_RESOLUTION_FAILURE')
    }
    const { data } = await client.graphql<{ projects: { totalCount: number } }>('{ projects { totalCount } }')
    expect(data.projects.totalCount).toBe(0)
  })

  it('says how to subscribe to who posts a subscription for one result', async () => {
    const { errors } = (await graph({ query: ask })).json<GraphAnswer>()
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST')
    expect(errors?.[0]?.message).toContain('/graphql/stream')
  })

  it('refuses unknown persisted queries as faults of the request', async () => {
    for (const persistedQuery of [{ version: 2, sha256Hash: 'abc' }, true]) {
      const answer = await graph({ extensions: { persistedQuery } })
      expect([answer.status, answer.json<GraphAnswer>().errors?.[0]?.extensions.code]).toEqual([
        400,
        'BAD_REQUEST',
      ])
    }
  })

  it('answers with JSON when a client takes events too but names them later', async () => {
    const accept =
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed'
    const answer = await graph({ query: '{ me { id } }' }, { ...json, accept })
    expect(answer.headers.get('content-type')).toContain('application/graphql-response+json')
    expect(answer.status).toBe(200)
    const asEvents = await graph(
      { query: '{ me { id } }' },
      { ...json, accept: 'text/event-stream, */*;q=0.1' },
    )
    expect(asEvents.headers.get('content-type')).toContain('text/event-stream')
  })

  it('reads operations of up to 10,000 tokens, on every protocol', async () => {
    const query = `{ ${Array.from({ length: 10_000 }, (_, at) => `a${at}: me { id }`).join(' ')} }`
    expect((await graph({ query })).text).toContain('GRAPHQL_PARSE_FAILED')
    expect((await graph({ query }, events)).text).toContain('GRAPHQL_PARSE_FAILED')
  })
})

describe('REST', () => {
  it('does not delete all conversations when an id came out empty', async () => {
    await client.post('/v1/conversations', {})
    const answer = await client.delete('/v1/conversations/')
    expect([answer.status, answer.json<{ error: { code: string } }>().error.code]).toEqual([
      400,
      'invalid_id',
    ])
    expect((await client.get('/v1/conversations')).json<{ total: number }>().total).toBeGreaterThan(0)
  })

  it('answers OPTIONS on every path that it has', async () => {
    for (const [path, allow] of [
      ['/v1/projects', 'POST, GET, HEAD, OPTIONS'],
      ['/graphql', 'GET, POST, OPTIONS'],
      ['/graphql/stream', 'GET, POST, OPTIONS'],
    ]) {
      const answer = await send(`${server.url}${path}`, {
        method: 'OPTIONS',
        headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' },
      })
      expect([answer.status, answer.headers.get('allow')]).toEqual([204, allow])
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('tells caches that answers differ by origin, also those that a page may not see', async () => {
    for (const origin of ['https://elsewhere.example', 'http://localhost:3000', null]) {
      const answer = await send(`${server.url}/v1/models`, { headers: origin === null ? {} : { origin } })
      expect(answer.headers.get('vary')).toBe('Origin')
    }
  })

  it('refuses a body that is announced too large without waiting for it', async () => {
    for (const path of ['/v1/projects', '/v1/chat/completions', '/graphql']) {
      const answer = await rawAnswer(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{',
      )
      expect(answer).toMatch(/^HTTP\/1\.1 413 /)
      expect(answer).toContain('payload_too_large')
    }
  })

  it.each([
    ['/v1/chat/completions', '{"model":"fake-model","messages":[', '{},', '{}]}'],
    ['/v1/conversations', '{"items":[', '1,', '1]}'],
    ['/v1/memory/user/upsert', '{"items":[', '{},', '{}]}'],
    [
      '/v1/chat/completions',
      '{"model":"fake-model","messages":[{"role":"user","content":"x"}]',
      ',"":1',
      '}',
    ],
    ['/graphql', '{"query":"{ __typename }","variables":{"a":[', '{},', '{}]}}'],
  ])('refuses at once what a few compressed bytes would become at %s', async (path, head, many, end) => {
    const body = await gzip(head + many.repeat(200_000) + end)
    expect(body.length).toBeLessThan(5_000)
    const answer = await send(`${server.url}${path}`, {
      method: 'POST',
      headers: { ...client.headers, ...json, 'content-encoding': 'gzip' },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(10_000),
    })
    expect(answer.status).toBe(413)
    expect(answer.text).toContain('payload_too_large')
  })

  it('reads long lists of tokens, and refuses what is none in one go', async () => {
    const embed = async (input: unknown) => {
      const answer = await client.post('/v1/embeddings', { model: 'none', input })
      return [answer.status, answer.json<{ error: { param: string } }>().error.param]
    }
    const tokens = Array.from({ length: 300_000 }, (_, at) => at)
    expect(await embed(tokens)).toEqual([404, 'model'])
    expect(await embed([tokens, tokens])).toEqual([404, 'model'])
    for (const input of [[...tokens, 'x'], ['x', 1], [[1], []], [-1], [], {}, Array(300_000).fill({})])
      expect(await embed(input)).toEqual([400, 'input'])
  })

  it('gives what is not HTTP a request id too', async () => {
    const answer = await rawAnswer(
      'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    )
    const id = /X-Request-Id: (req_\w+)/.exec(answer)?.[1]
    expect(answer).toContain(`"request_id":"${id}"`)
  })
})

describe('the log', () => {
  it('is silent about clients that leave in mid-stream, and holds no credential and no message', async () => {
    for (const path of ['/graphql/stream', '/v1/chat/completions']) {
      provider.script({ chunkDelayMs: 20, text: 'tick '.repeat(200) })
      const leaving = new AbortController()
      const response = await fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: { ...client.headers, ...(path === '/graphql/stream' ? events : json) },
        body: JSON.stringify(
          path === '/graphql/stream'
            ? { query: ask }
            : { model: 'fake-model', stream: true, messages: [{ role: 'user', content: 'a secret text' }] },
        ),
        signal: leaving.signal,
      })
      await response.body?.getReader().read()
      leaving.abort()
    }
    await sleep(500)
    const output = server.output()
    expect(output).not.toMatch(/"level":50|ERR_STREAM|Unhandled|MaxListeners/)
    expect(output).not.toContain(client.token)
    expect(output).not.toContain('a secret text')
  })
})

describe('literals nested beyond reason', () => {
  it.each([
    ['lists', `${'['.repeat(50)}${']'.repeat(50)}`],
    ['objects', `${'{a:'.repeat(2_000)}1${'}'.repeat(2_000)}`],
  ])('are refused at once, on every protocol and without a credential: %s', async (_kind, literal) => {
    const body = JSON.stringify({
      query: `mutation { createConversation(input: { metadata: { a: ${literal} } }) { id } }`,
    })
    for (const accept of ['application/json', 'text/event-stream', 'multipart/mixed;subscriptionSpec=1.0']) {
      const since = performance.now()
      const answer = await send(`${server.url}/graphql`, {
        method: 'POST',
        headers: { ...json, accept },
        body,
      })
      expect(answer.text).toMatch(/GRAPHQL_(VALIDATION|PARSE)_FAILED/)
      expect(performance.now() - since).toBeLessThan(2_000)
    }
  })
})

describe('production', () => {
  it('closes introspection on every protocol', async () => {
    const closed = await startTestServer({ ENVIRONMENT: 'production' })
    try {
      for (const accept of [
        'application/json',
        'text/event-stream',
        'multipart/mixed;subscriptionSpec=1.0, application/json',
      ]) {
        const answer = await send(`${closed.url}/graphql`, {
          method: 'POST',
          headers: { ...json, accept },
          body: JSON.stringify({ query: '{ __schema { types { name } } }' }),
        })
        expect(answer.text).not.toContain('CreateConversationInput')
        expect(answer.text).toContain('GRAPHQL_VALIDATION_FAILED')
      }
    } finally {
      await closed.stop()
    }
  }, 60_000)
})
