import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let provider: FakeProvider
let server: TestServer
/** Another process on the same database. */
let sibling: TestServer
let client: TestClient
beforeAll(async () => {
  provider = await startFakeProvider({ models: ['fake-model', 'model-500', 'model-429'] })
  const environment = { REMOTE_LLM_PROVIDER_URL: provider.url, REMOTE_API_KEY: 'a-key' }
  server = await startTestServer(environment)
  sibling = await startTestServer({
    ...environment,
    DATABASE_URL: server.databaseUrl,
    PUBLIC_URL: server.url,
  })
  client = await guest(server)
}, 60_000)
afterAll(async () => {
  await sibling.stop()
  await server.stop()
  await provider.close()
})

const messages = [{ role: 'user', content: 'Once.' }]
const whole = { model: 'fake-model', messages }
const streamed = { ...whole, stream: true }
let keys = 0
/** How often the provider has been asked for an answer. */
const asked = () => provider.requests.filter(({ method }) => method === 'POST').length
const newKey = () => `key-${keys++}`

function post(path: string, json: unknown, key: string, { url, as = client } = { url: server.url }) {
  return send(`${url}${path}`, {
    method: 'POST',
    headers: { ...as.headers, 'idempotency-key': key },
    json,
  })
}

const chat = (json: unknown, key: string, at?: { url: string; as?: TestClient }) =>
  post('/v1/chat/completions', json, key, at)

const isReplayed = ({ headers }: { headers: Headers }) => headers.get('idempotent-replayed') === 'true'

async function sql<Row extends object>(statement: string): Promise<Row[]> {
  const database = new pg.Client({ connectionString: server.databaseUrl })
  await database.connect()
  const { rows } = await database.query<Row>(statement)
  await database.end()
  return rows
}

describe('a request with an Idempotency-Key', () => {
  it('is run once; its repetition gets the same status, headers and bytes', async () => {
    const key = newKey()
    const before = asked()
    const first = await chat(whole, key)
    const again = await chat(whole, key)
    expect(first.status).toBe(200)
    expect(again.text).toBe(first.text)
    expect(again.status).toBe(200)
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(again.headers.get('content-length')).toBe(first.headers.get('content-length'))
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true])
    expect(asked()).toBe(before + 1)
  })

  it('waits for the first of its kind where that is still running', async () => {
    const key = newKey()
    const before = asked()
    provider.script({ headDelayMs: 300 })
    const answers = await Promise.all(Array.from({ length: 8 }, () => chat(whole, key)))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.filter((answer) => !isReplayed(answer))).toHaveLength(1)
    expect(asked()).toBe(before + 1)
  })

  it('is one request also where it reaches two processes at once', async () => {
    const key = newKey()
    const before = asked()
    provider.script({ headDelayMs: 300 })
    const urls = [server.url, sibling.url, server.url, sibling.url]
    const answers = await Promise.all(urls.map((url) => chat(whole, key, { url })))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(asked()).toBe(before + 1)
  })

  it('creates one object, whichever of its documented paths it takes', async () => {
    const key = newKey()
    const first = await post('/v1/conversations', { title: 'One' }, key)
    const again = await post('/llm/v1/conversations', { title: 'One' }, key)
    expect(first.status).toBe(200)
    expect(again.text).toBe(first.text)
    const { total } = (await client.get('/v1/conversations')).json<{ total: number }>()
    expect(total).toBe(1)
  })

  it('is refused with 409 where the same key came with another body, or another query', async () => {
    const key = newKey()
    await chat(whole, key)
    const other = await chat({ ...whole, temperature: 0 }, key)
    expect(other.status).toBe(409)
    expect(other.json()).toMatchObject({
      error: { type: 'conflict_error', code: 'idempotency_conflict', param: 'Idempotency-Key' },
    })
    expect((await post('/v1/chat/completions?referrer=x', whole, key)).status).toBe(409)
  })

  it('is the same however its path is spelt', async () => {
    const key = newKey()
    const first = await post('/v1/conversations', { title: 'One' }, key)
    const spelt = await post('/v1/conversations/', { title: 'One' }, key)
    expect(spelt.text).toBe(first.text)
  })

  it('is another request for another caller, and on another path', async () => {
    const key = newKey()
    const first = await post('/v1/conversations', { title: 'Mine' }, key)
    const theirs = await post('/v1/conversations', { title: 'Mine' }, key, {
      url: server.url,
      as: await guest(server),
    })
    const elsewhere = await post('/v1/projects', { name: 'Mine' }, key)
    expect(theirs.status).toBe(200)
    expect(theirs.json().id).not.toBe(first.json().id)
    expect(elsewhere.status).toBe(201)
    expect([isReplayed(theirs), isReplayed(elsewhere)]).toEqual([false, false])
  })

  it('keeps a refusal that is the request’s own fault', async () => {
    const key = newKey()
    const first = await chat({ model: 'no-such-model', messages }, key)
    const again = await chat({ model: 'no-such-model', messages }, key)
    expect(first.status).toBe(404)
    expect(again.text).toBe(first.text)
    expect(isReplayed(again)).toBe(true)
  })

  it.each([500, 429])('runs again after a provider’s %i', async (status) => {
    const key = newKey()
    const request = { ...whole, model: `model-${status}` }
    // as often as the platform may try
    for (let attempt = 0; attempt < 4; attempt += 1)
      provider.script({ status, body: { error: { message: 'Not now.' } } })
    const failed = await chat(request, key)
    provider.unscript()
    const again = await chat(request, key)
    expect(failed.status).toBe(status === 429 ? 429 : 502)
    expect(again.status).toBe(200)
    expect(isReplayed(again)).toBe(false)
  })

  it.each(['', 'k'.repeat(256)])('refuses a key of %j', async (key) => {
    const answer = await chat(whole, key)
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({ error: { code: 'invalid_parameter', param: 'Idempotency-Key' } })
  })

  it('means nothing on a route without a principal', async () => {
    const headers = { 'idempotency-key': newKey() }
    const logins = await Promise.all(
      [1, 2].map(() => send(`${server.url}/auth/guest-login`, { method: 'POST', headers })),
    )
    expect(new Set(logins.map((login) => login.json().user_id)).size).toBe(2)
  })

  it('leaves no answer in clear in the database', async () => {
    provider.script({ text: 'a very recognisable sentence' })
    const answer = await chat(whole, newKey())
    expect(answer.text).toContain('recognisable')
    const rows = await sql<{ sealed: Buffer }>('select sealed from edge.stream_part')
    expect(rows.length).toBeGreaterThan(0)
    for (const { sealed } of rows) expect(sealed.includes('recognisable')).toBe(false)
  })
})

/** Reads a stream until `enough` of its text is there, then leaves. */
async function readUntil(enough: (text: string) => boolean, json: unknown, key: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...client.headers, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(json),
  })
  let text = ''
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString()
    if (enough(text)) return text
  }
  return text
}

describe('a stream with an Idempotency-Key', () => {
  it('is replayed to the byte', async () => {
    const key = newKey()
    const before = asked()
    const first = await chat(streamed, key)
    const again = await chat(streamed, key)
    expect(first.headers.get('content-type')).toContain('text/event-stream')
    expect(first.text).toMatch(/data: \[DONE\]\n\n$/)
    expect(again.text).toBe(first.text)
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(isReplayed(again)).toBe(true)
    expect(asked()).toBe(before + 1)
  })

  it('goes on when its client leaves; the retry gets it from the first byte, then live', async () => {
    const key = newKey()
    const before = asked()
    provider.script({ text: 'word '.repeat(40), chunkDelayMs: 20 })
    const begun = await readUntil((text) => text.split('word').length > 5, streamed, key)
    const arrivals: number[] = []
    const retry = await fetch(`${sibling.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(streamed),
    })
    let text = ''
    for await (const piece of retry.body ?? []) {
      arrivals.push(performance.now())
      text += Buffer.from(piece).toString()
    }
    const here = await chat(streamed, key)
    expect(text.startsWith(begun)).toBe(true)
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
    expect(here.text).toBe(text)
    // live: it came in several pieces, not in one at the end
    expect(arrivals.length).toBeGreaterThan(3)
    expect(asked()).toBe(before + 1)
  })

  it('gives concurrent duplicates the same bytes', async () => {
    const key = newKey()
    const before = asked()
    provider.script({ text: 'word '.repeat(20), chunkDelayMs: 10 })
    const answers = await Promise.all(
      [server.url, server.url, sibling.url].map((url) => chat(streamed, key, { url })),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(asked()).toBe(before + 1)
  })

  it('is run again after it broke', async () => {
    const key = newKey()
    provider.script({ chunks: [chatChunk({ content: 'Half' })], reset: 'mid-stream' })
    const broken = await chat(streamed, key)
    const again = await chat(streamed, key)
    expect(broken.text).toContain('"error"')
    expect(again.text).toMatch(/data: \[DONE\]\n\n$/)
    expect(isReplayed(again)).toBe(false)
  })
})

describe('a GraphQL request with an Idempotency-Key', () => {
  const createProject = {
    query: 'mutation ($name: String!) { createProject(input: { name: $name }) { id } }',
    variables: { name: 'From GraphQL' },
  }
  const subscription = {
    query: 'subscription ($input: ChatCompletionInput!) { chatCompletion(input: $input) { content } }',
    variables: { input: { model: 'fake-model', messages: [{ role: 'USER', content: 'Once.' }] } },
  }

  it('is run once', async () => {
    const key = newKey()
    const first = await post('/graphql', createProject, key)
    const again = await post('/graphql', createProject, key)
    expect(first.json()).toEqual({ data: { createProject: { id: expect.stringMatching(/^proj_/) } } })
    expect(again.text).toBe(first.text)
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true])
    expect((await post('/graphql', { query: '{ __typename }' }, key)).status).toBe(409)
  })

  const ask = (failing: string) => ({
    query: `mutation { createChatCompletion(input: { model: "${failing}", messages: [{ role: USER, content: "Hi" }] }) { content } }`,
  })

  it('is run again after its provider failed, plain, as a subscription and in mid-stream', async () => {
    const key = newKey()
    for (let attempt = 0; attempt < 4; attempt += 1) provider.script({ status: 500, body: {} })
    const failed = await post('/graphql', ask('model-500'), key)
    provider.unscript()
    const again = await post('/graphql', ask('model-500'), key)
    expect(failed.text).toContain('provider_error')
    expect([again.text.includes('"errors"'), isReplayed(again)]).toEqual([false, false])

    const streamKey = newKey()
    provider.script({ chunks: [chatChunk({ content: 'Half' })], reset: 'mid-stream' })
    const broken = await post('/graphql/stream', subscription, streamKey)
    const whole = await post('/graphql/stream', subscription, streamKey)
    expect(broken.text).toContain('provider_error')
    expect([whole.text.includes('errors'), isReplayed(whole)]).toEqual([false, false])
  })

  it('is replayed to the byte where it is a subscription', async () => {
    const key = newKey()
    const before = asked()
    const first = await post('/graphql/stream', subscription, key)
    const again = await post('/graphql/stream', subscription, key)
    expect(first.text).toContain('event: next')
    expect(again.text).toBe(first.text)
    expect(asked()).toBe(before + 1)
  })
})

describe('after a restart', () => {
  it('a finished answer is still known, and one that was cut by a crash is run anew', async () => {
    const finished = newKey()
    const crashed = newKey()
    const first = await chat(streamed, finished)
    provider.script({ text: 'word '.repeat(400), chunkDelayMs: 20 })
    await readUntil((text) => text.includes('word'), streamed, crashed)
    await server.kill()
    await server.start()
    const again = await chat(streamed, finished)
    expect(again.text).toBe(first.text)
    expect(isReplayed(again)).toBe(true)
    await sql(`update edge.stream set lease_until = now() where state = 'open'`)
    const anew = await chat(streamed, crashed)
    expect(anew.text).toMatch(/data: \[DONE\]\n\n$/)
  }, 60_000)
})
