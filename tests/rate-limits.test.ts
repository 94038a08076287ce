import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Answer, clientOf, guest, send } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'
import { sharedTestServer } from './shared-server.ts'

const proxied = (ip: string) => ({ 'x-forwarded-for': ip })

function refusals(answers: readonly Answer[]): Answer[] {
  return answers.filter(({ status }) => status === 429)
}

function expectRefusal(answer: Answer | undefined, limit: number): void {
  const now = Date.now() / 1000
  const { error } = answer?.json<{ error: Record<string, unknown> }>() ?? {}
  expect(error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited', limit, remaining: 0 })
  expect(error?.retry_after).toBeGreaterThan(0)
  expect(error?.retry_after).toBeLessThanOrEqual(60)
  expect(error?.reset_at).toBeGreaterThan(now - 5)
  expect(answer?.headers.get('retry-after')).toBe(String(error?.retry_after))
  expect(answer?.headers.get('x-ratelimit-limit')).toBe(String(limit))
  expect(answer?.headers.get('x-ratelimit-remaining')).toBe('0')
  expect(answer?.headers.get('x-ratelimit-reset')).toBe(String(error?.reset_at))
}

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index))

describe('the documented limits', () => {
  let server: TestServer
  /** Another process that counts in the same database. */
  let sibling: TestServer
  const documented = {
    RATE_LIMIT_PROFILE: 'documented',
    GUEST_LOGINS_PER_HOUR: '12',
    TRUSTED_PROXIES: 'loopback',
  }
  beforeAll(async () => {
    server = await startTestServer(documented)
    sibling = await startTestServer({
      ...documented,
      DATABASE_URL: server.databaseUrl,
      PUBLIC_URL: server.url,
    })
  }, 60_000)
  afterAll(async () => {
    await sibling.stop()
    await server.stop()
  })

  it('tell every caller what is left', async () => {
    const client = await guest(server)
    const list = () => client.get('/v1/conversations')
    const [first, second] = [await list(), await list()]
    expect(first.headers.get('x-ratelimit-limit')).toBe('600')
    expect(first.headers.get('x-ratelimit-limit-minute')).toBe('600')
    expect(first.headers.get('x-ratelimit-remaining')).toBe('599')
    expect(second.headers.get('x-ratelimit-remaining-minute')).toBe('598')
    const reset = Number(second.headers.get('x-ratelimit-reset'))
    expect(reset - Date.now() / 1000).toBeGreaterThan(0)
    expect(reset - Date.now() / 1000).toBeLessThanOrEqual(61)
  })

  it('refuse the 51st chat of a minute, in whichever process it arrives, and no other route or caller', async () => {
    const client = await guest(server)
    const messages = [{ role: 'user', content: 'Hi' }]
    const chat = (url: string) =>
      send(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: client.headers,
        json: { model: 'jan-v1-4b', messages },
      })
    const answers = await Promise.all(
      Array.from({ length: 52 }, (_, index) => chat(index % 2 === 0 ? server.url : sibling.url)),
    )
    expect(refusals(answers)).toHaveLength(2)
    expectRefusal(refusals(answers)[0], 50)
    expect((await client.get('/v1/models')).status).toBe(200)
    const other = await guest(server)
    expect((await other.post('/v1/chat/completions', { model: 'jan-v1-4b', messages })).status).not.toBe(429)
  })

  it('count a request to the graph', async () => {
    const client = await guest(server)
    const first = await send(`${server.url}/graphql`, {
      method: 'POST',
      headers: client.headers,
      json: { query: '{ __typename }' },
    })
    expect(first.headers.get('x-ratelimit-limit')).toBe('100')
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        send(`${server.url}/graphql`, {
          method: 'POST',
          headers: client.headers,
          json: { query: '{ __typename }' },
        }),
      ),
    )
    expect(refusals(answers)).toHaveLength(1)
    expect(refusals(answers)[0]?.json()).toMatchObject({ errors: [{ extensions: { code: 'rate_limited' } }] })
  })

  it('count what an operation of the graph starts as the routes that do the same, under any alias', async () => {
    const client = await guest(server)
    const many = (field: (index: number) => string, count: number) =>
      `mutation { ${Array.from({ length: count }, (_, index) => field(index)).join(' ')} }`
    const graph = async (query: string, as: Record<string, string> = {}) => {
      const answer = await send(`${server.url}/graphql`, { method: 'POST', headers: as, json: { query } })
      return answer.json<{ errors?: { extensions: { code: string; retryAfter: number } }[] }>()
    }
    const chat = (index: number) =>
      `c${index}: createChatCompletion(input: { model: "none", messages: [{ role: USER, content: "Hi" }] }) { content }`
    const first = await graph(many(chat, 30), client.headers)
    expect(first.errors?.[0]?.extensions.code).toBe('model_not_found')
    const second = await graph(many(chat, 30), client.headers)
    expect(second.errors).toEqual([
      expect.objectContaining({ extensions: expect.objectContaining({ code: 'rate_limited' }) }),
    ])
    // What is refused takes none of what is left.
    const third = await graph(many(chat, 20), client.headers)
    expect(third.errors?.[0]?.extensions.code).toBe('model_not_found')
    // REST draws from the same
    const rest = await client.post('/v1/chat/completions', {
      model: 'none',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect(rest.status).toBe(429)

    const guests = await graph(
      many((index) => `g${index}: guestLogin { accessToken }`, 13),
      proxied('192.0.2.7'),
    )
    expect(guests.errors?.[0]?.extensions.code).toBe('rate_limited')
  })

  it('slow down an address that guesses credentials', async () => {
    const guess = (index: number) =>
      send(`${server.url}/v1/models`, {
        headers: {
          ...proxied('192.0.2.8'),
          authorization: `Bearer sk_live_${String(index).padStart(48, '0')}`,
        },
      })
    const answers = await Promise.all(Array.from({ length: 62 }, (_, index) => guess(index)))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(60)
    expect(refusals(answers)).toHaveLength(2)
  })

  it('count by address what no route lets in, and say so; what is public stays open', async () => {
    const headers = proxied('192.0.2.9')
    const ask = (path: string, method = 'GET') => send(`${server.url}${path}`, { method, headers })
    const first = await ask('/v1/conversations')
    expect(first.status).toBe(401)
    expect(first.headers.get('x-ratelimit-limit')).toBe('100')
    expect(first.headers.get('x-ratelimit-remaining')).toBe('99')
    const answers = await Promise.all([
      ...times(40, () => ask('/llm/v1/conversations')),
      ...times(40, () => ask('/v1/nothing')),
      ...times(39, () => ask('/v1/models', 'DELETE')),
    ])
    const statuses = new Set(answers.map(({ status }) => status))
    expect([...statuses].sort()).toEqual([401, 404, 405, 429])
    expect(answers.every((answer) => answer.headers.has('x-ratelimit-limit'))).toBe(true)
    expect(refusals(answers)).toHaveLength(20)
    expectRefusal(refusals(answers)[0], 100)
    expect((await ask('/v1/version')).status).toBe(200)
    const named = { ...(await guest(server)).headers, ...headers }
    expect((await send(`${server.url}/v1/models`, { headers: named })).status).toBe(200)
    expect((await send(`${server.url}/v1/nothing`, { headers: proxied('192.0.2.10') })).status).toBe(404)
  })

  it('count the routes of administrators together, beside the limit of each', async () => {
    const admin = clientOf(server, server.adminKey)
    const answers = await Promise.all([
      ...times(60, () => admin.get('/v1/admin/prompt-templates')),
      ...times(50, () => admin.get('/llm/v1/admin/models/prompt-templates/list/jan-v1-4b')),
    ])
    expect(refusals(answers)).toHaveLength(10)
    expectRefusal(refusals(answers)[0], 100)
    expect((await admin.get('/v1/models')).status).toBe(200)
  })

  it('count the methods of one change together', async () => {
    const client = await guest(server)
    const path = '/v1/conversations/conv_0a1b2c3d4e5f6g7h0a1b2c3d4e5f6g7h'
    const answers = await Promise.all([
      ...times(55, () => client.patch(path, { title: 'Lasagna' })),
      ...times(55, () => client.post(path, { title: 'Lasagna' })),
    ])
    expect(refusals(answers)).toHaveLength(10)
    expectRefusal(refusals(answers)[0], 100)
  })

  it('let one address become so many guests an hour, and another one more', async () => {
    const login = (ip: string) =>
      send(`${server.url}/llm/auth/guest-login`, { method: 'POST', headers: proxied(ip) })
    const answers = await Promise.all(Array.from({ length: 14 }, () => login('192.0.2.1')))
    expect(refusals(answers)).toHaveLength(2)
    const { error } = refusals(answers)[0]?.json<{ error: Record<string, unknown> }>() ?? {}
    expect(error).toMatchObject({ code: 'rate_limited', limit: 12 })
    expect((await login('192.0.2.2')).status).toBe(201)
  })
})

describe('the bucket of the free tier', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ RATE_LIMIT_PROFILE: 'documented', RATE_LIMIT_TIER: 'free' })
  }, 60_000)
  afterAll(() => server.stop())

  it('is not drawn from by what is refused', async () => {
    const client = await guest(server)
    const chat = () => client.post('/v1/chat/completions', { model: 'none', messages: [] })
    for (let call = 0; call < 9; call += 1) expect((await chat()).status).not.toBe(429)
    for (let call = 0; call < 5; call += 1) expect((await client.get('/v1/models')).status).toBe(200)
    const retried = await Promise.all(times(20, chat))
    expect(refusals(retried)).toHaveLength(20)
    for (let call = 0; call < 5; call += 1) expect((await client.get('/v1/models')).status).toBe(200)
    expectRefusal(await client.get('/v1/models'), 100)
  })

  it('is drawn from by an upload as its size is said to be', async () => {
    const left = async (body: string | ReadableStream) => {
      const { headers } = await guest(server)
      const sent = { ...headers, 'content-type': 'application/json' }
      const init = { method: 'POST', headers: sent, body, duplex: 'half' } as RequestInit
      await send(`${server.url}/v1/media/upload`, init)
      const next = await send(`${server.url}/v1/models`, { headers })
      return Number(next.headers.get('x-ratelimit-remaining'))
    }
    expect(await left('{}')).toBe(98)
    expect(await left(`{"data_url":"${'a'.repeat(5 * 1024 * 1024)}"}`)).toBe(96)
    expect(await left(new Blob(['{}']).stream())).toBe(89)
  })
})

describe('the limits of the gateway', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ RATE_LIMIT_PROFILE: 'gateway', TRUSTED_PROXIES: 'loopback' })
  }, 60_000)
  afterAll(() => server.stop())

  it('count an address, on each part by itself, and never liveness', async () => {
    const get = (path: string, ip: string) => send(`${server.url}${path}`, { headers: proxied(ip) })
    const { headers } = clientOf(server, server.adminKey)
    const models = (ip: string) =>
      send(`${server.url}/v1/models`, { headers: { ...headers, ...proxied(ip) } })
    const answers = await Promise.all(Array.from({ length: 121 }, () => models('192.0.2.1')))
    expect(refusals(answers)).toHaveLength(1)
    expectRefusal(refusals(answers)[0], 120)
    expect((await models('192.0.2.2')).status).toBe(200)
    expect((await get('/healthz', '192.0.2.1')).status).toBe(200)
    expect((await get('/auth/login', '192.0.2.1')).status).not.toBe(429)
  })

  it('count the routes of administrators by caller, from wherever and however they are asked', async () => {
    const { headers } = clientOf(server, server.adminKey)
    const ask = (prefix: string, ip: string) =>
      send(`${server.url}${prefix}/v1/admin/prompt-templates`, { headers: { ...headers, ...proxied(ip) } })
    const answers = await Promise.all([
      ...times(60, () => ask('', '192.0.2.3')),
      ...times(50, () => ask('/llm', '192.0.2.4')),
    ])
    expect(refusals(answers)).toHaveLength(10)
    expectRefusal(refusals(answers)[0], 100)
  })

  it('count who comes through /llm without a name by address, as under /v1', async () => {
    const ask = (path: string) => send(`${server.url}${path}`, { headers: proxied('192.0.2.5') })
    const answers = await Promise.all([
      ...times(60, () => ask('/llm/v1/models')),
      ...times(35, () => ask('/v1/models')),
      ...times(35, () => ask('/llm/v1/nothing')),
    ])
    expect(refusals(answers)).toHaveLength(10)
    expectRefusal(refusals(answers)[0], 120)
  })

  it('count shares together under every spelling', async () => {
    const ask = (path: string) => send(`${server.url}${path}`, { headers: proxied('192.0.2.6') })
    const answers = await Promise.all([
      ...times(60, () => ask('/llm/v1/public/shares/nothing')),
      ...times(25, () => ask('/v1/public/shares/nothing')),
      ...times(25, () => ask('/llm/v1/share/nothing')),
    ])
    expect(refusals(answers)).toHaveLength(10)
    expectRefusal(refusals(answers)[0], 100)
    expect((await ask('/v1/models')).status).toBe(401)
  })

  it('count who comes through /llm by caller, not by address', async () => {
    const clients = [await guest(server), await guest(server)]
    const answers = await Promise.all(
      clients.flatMap((client) => Array.from({ length: 70 }, () => client.get('/llm/v1/models/catalogs'))),
    )
    expect(refusals(answers)).toHaveLength(0)
    expect(answers[0]?.headers.get('x-ratelimit-limit')).toBe('120')
  })
})

describe('without a profile', () => {
  it('nothing is counted in development, and no header says so', async () => {
    const server = await sharedTestServer()
    const client = await guest(server)
    const answers = await Promise.all(Array.from({ length: 130 }, () => client.get('/v1/models')))
    expect(refusals(answers)).toHaveLength(0)
    expect(answers[0]?.headers.has('x-ratelimit-limit')).toBe(false)
  }, 60_000)
})
