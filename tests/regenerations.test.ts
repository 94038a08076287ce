import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { branchRows, faultsOf } from '../platform/testing/branch-tree.ts'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { type Answer, clientOf, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let client: TestClient
let pool: pg.Pool
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['fake-model'] })
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url, PROVIDER_MAX_RETRIES: '0' })
  client = clientOf(server, server.adminKey)
  pool = new pg.Pool({ connectionString: server.databaseUrl, max: 1 })
}, 60_000)
afterAll(async () => {
  await pool?.end()
  await server?.stop()
  await fake?.close()
})

interface Item {
  id: string
  role: string
  status: string
  content: { text: string }[]
}

const many = '/v1/conversations'
const answerText = 'Hello from the fake provider.'

async function answered(...questions: string[]): Promise<string> {
  const { id } = (await client.post(many, {})).json<{ id: string }>()
  for (const content of questions) {
    const body = { model: 'fake-model', conversation: id, messages: [{ role: 'user', content }] }
    expect((await client.post('/v1/chat/completions', body)).status).toBe(200)
  }
  return id
}

const itemsOf = async (id: string, branch = 'MAIN') =>
  (await client.get(`${many}/${id}/items?order=asc&branch=${branch}`)).json<{ data: Item[] }>().data
const textsOf = async (id: string, branch = 'MAIN') =>
  (await itemsOf(id, branch)).map(({ content }) => content[0]?.text)
const branchNames = async (id: string) =>
  (await client.get(`${many}/${id}/branches`))
    .json<{ data: { name: string }[] }>()
    .data.map(({ name }) => name)

const errorOf = (answer: Answer) => {
  const { error } = answer.json<{ error: { code: string; param: string | null } }>()
  return { status: answer.status, code: error.code, param: error.param }
}

const newMain = {
  branch: 'MAIN',
  old_main_backup: expect.stringMatching(/^MAIN_\d{14}(_\d+)?$/),
  branch_created: true,
  new_branch: 'MAIN',
}

describe('edit', () => {
  it.each([
    ['POST', '/edit'],
    ['PUT', '/edit'],
    ['PATCH', ''],
  ])('by %s …/{item}%s makes a branch that ends with the message', async (method, suffix) => {
    const id = await answered('one', 'two')
    const items = await itemsOf(id)
    const answer = await send(`${server.url}${many}/${id}/items/${items[2]?.id}${suffix}`, {
      method,
      headers: client.headers,
      json: { content: 'three' },
    })
    const edit = answer.json<{ user_item: Item; old_main_backup: string }>()
    expect(edit).toMatchObject({ ...newMain, data: newMain, meta: { api_version: 'v1' } })
    expect(edit.user_item).toMatchObject({
      object: 'conversation.item',
      role: 'user',
      branch: 'MAIN',
      sequence_number: 3,
      content: [{ type: 'input_text', text: 'three' }],
    })
    expect(edit).not.toHaveProperty('item')
    expect(await textsOf(id)).toEqual(['one', answerText, 'three'])
    expect(await textsOf(id, edit.old_main_backup)).toEqual(['one', answerText, 'two', answerText])
    // the client goes on with a completion of its own, which does not say the message again
    const again = { model: 'fake-model', conversation: id, messages: [{ role: 'user', content: 'three' }] }
    await client.post('/v1/chat/completions', again)
    expect(await textsOf(id)).toEqual(['one', answerText, 'three', answerText])
  })

  it('asks the model at once where one is named, and not where that is declined', async () => {
    const id = await answered('one')
    const [question] = await itemsOf(id)
    const path = `${many}/${id}/items/${question?.id}/edit`
    const asked = (await client.post(path, { content: 'two', model: 'fake-model' })).json()
    expect(asked).toMatchObject({
      ...newMain,
      item: { role: 'assistant', branch: 'MAIN' },
      content: answerText,
    })
    expect(await textsOf(id)).toEqual(['two', answerText])
    await client.post(path, { content: 'three', model: 'fake-model', regenerate: false })
    expect(await textsOf(id)).toEqual(['three'])
  })

  it('asks the model that the conversation used last where that is wished', async () => {
    const id = await answered('one')
    const [question] = await itemsOf(id)
    const path = `${many}/${id}/items/${question?.id}/edit`
    const asked = (await client.post(path, { content: 'two', regenerate: true })).json()
    expect(asked).toMatchObject({ ...newMain, content: answerText })
    expect(await textsOf(id)).toEqual(['two', answerText])
  })

  it('streams the answer', async () => {
    const id = await answered('one')
    const [question] = await itemsOf(id)
    const body = { content: 'two', stream: true, stream_options: { include_usage: true } }
    const { headers, text } = await client.post(`${many}/${id}/items/${question?.id}/edit`, body)
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(text).toMatch(/^data: \{.*"chat\.completion\.chunk"/)
    expect(text).toContain(`"conversation":{"id":"${id}"`)
    expect(text).toContain('"usage":{')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(await textsOf(id)).toEqual(['two', answerText])
  })

  it('refuses as documented', async () => {
    const id = await answered('one')
    const [question, answer] = await itemsOf(id)
    const edit = (item: string | undefined, body: object) =>
      client.post(`${many}/${id}/items/${item}/edit`, body)
    expect(errorOf(await edit(question?.id, {}))).toEqual({
      status: 400,
      code: 'missing_parameter',
      param: 'content',
    })
    expect(errorOf(await edit(question?.id, { content: 5 }))).toMatchObject({ status: 400, param: 'content' })
    expect(errorOf(await edit(answer?.id, { content: 'x' }))).toMatchObject({
      status: 400,
      code: 'invalid_parameter',
    })
    expect(errorOf(await edit('msg_000000000000000000000000', { content: 'x' }))).toMatchObject({
      status: 404,
      code: 'item_not_found',
    })
    expect(await branchNames(id)).toEqual(['MAIN'])
  })
})

describe('regenerate', () => {
  it('asks the last model again, without a body, and gives the answer', async () => {
    const id = await answered('one', 'two')
    const items = await itemsOf(id)
    const answer = await send(`${server.url}${many}/${id}/items/${items[3]?.id}/regenerate`, {
      method: 'POST',
      headers: client.headers,
    })
    expect(answer.status).toBe(200)
    const after = await itemsOf(id)
    expect(answer.json()).toMatchObject({
      ...newMain,
      user_item_id: after[2]?.id,
      item: { id: after[3]?.id, role: 'assistant', status: 'completed', model: 'fake-model' },
      content: answerText,
      data: { user_item_id: after[2]?.id },
    })
    expect(after).toHaveLength(4)
  })

  it('takes any number of tokens', async () => {
    const id = await answered('one')
    const path = `${many}/${id}/items/${(await itemsOf(id))[1]?.id}/regenerate`
    expect((await client.post(path, { max_tokens: 2 ** 40 })).status).toBe(200)
  })

  it('only prepares the branch where no model was used', async () => {
    const { id } = (await client.post(many, { items: [{ role: 'user', content: 'a' }] })).json<{
      id: string
    }>()
    const [question] = await itemsOf(id)
    const path = `${many}/${id}/items/${question?.id}/regenerate`
    const prepared = (await client.post(path, {})).json()
    expect(prepared).toMatchObject({ ...newMain, user_item_id: (await itemsOf(id))[0]?.id })
    expect(prepared).not.toHaveProperty('item')
    expect(errorOf(await client.post(path, { stream: true }))).toEqual({
      status: 400,
      code: 'missing_parameter',
      param: 'model',
    })
  })

  it('streams, and stores what it streamed', async () => {
    const id = await answered('one')
    const [question] = await itemsOf(id)
    const { text } = await client.post(`${many}/${id}/items/${question?.id}/regenerate`, { stream: true })
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(await itemsOf(id)).toMatchObject([{ role: 'user' }, { role: 'assistant', status: 'completed' }])
  })

  it('changes nothing where the provider refuses', async () => {
    const id = await answered('one')
    const [question] = await itemsOf(id)
    for (const stream of [false, true]) {
      fake.script({ status: 500 })
      const answer = await client.post(`${many}/${id}/items/${question?.id}/regenerate`, { stream })
      expect(errorOf(answer)).toMatchObject({ status: 502, code: 'provider_error' })
    }
    expect(await branchNames(id)).toEqual(['MAIN'])
  })
})

describe('twenty at once', () => {
  it('leave a whole tree: one MAIN, names that differ, positions without gaps', async () => {
    const id = await answered('one', 'two')
    const items = await itemsOf(id)
    const path = `${many}/${id}/items/${items[2]?.id}`
    const attempts = Array.from({ length: 20 }, (_, at) => {
      if (at % 4 === 0) return client.post(`${path}/edit`, { content: `edit ${at}` })
      if (at % 4 === 1) return client.post(`${path}/regenerate`, {})
      if (at % 4 === 2) return client.post(`${path}/regenerate`, { stream: true })
      return client.post(`${path}/edit`, { content: `ask ${at}`, model: 'fake-model' })
    })
    const statuses = (await Promise.all(attempts)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    const branches = await branchRows(pool, id)
    expect(branches).toHaveLength(21)
    expect(faultsOf(branches)).toEqual([])
    expect((await textsOf(id)).slice(0, 2)).toEqual(['one', answerText])
    for (const name of await branchNames(id)) {
      const [, , question, answer, ...more] = await itemsOf(id, name)
      expect(question?.role).toBe('user')
      expect([undefined, 'completed']).toContain(answer?.status)
      expect(more).toEqual([])
    }
  }, 60_000)
})

describe('kill -9', () => {
  const asked = (id: string, item: string | undefined, body: object) =>
    fetch(`${server.url}${many}/${id}/items/${item}/regenerate`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
      .then((response) => response.text())
      .catch(() => 'lost')

  it('between the question and its answer leaves everything as it was, in a stream the answer so far', async () => {
    const whole = await answered('one')
    const streamed = await answered('one')
    fake.script({ hang: 'before-head' })
    const before = fake.requests.length
    const lost = asked(whole, (await itemsOf(whole))[0]?.id, {})
    await fake.request(before)
    fake.script({
      hang: 'mid-stream',
      chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })],
    })
    const cut = asked(streamed, (await itemsOf(streamed))[0]?.id, { stream: true })
    await fake.request(before + 1)
    await eventually(
      () => itemsOf(streamed),
      (items) => items[1]?.status === 'in_progress',
    )

    await server.kill()
    await Promise.all([lost, cut])
    await server.start()
    expect(await branchNames(whole)).toEqual(['MAIN'])
    expect(await textsOf(whole)).toEqual(['one', answerText])
    const items = await eventually(
      () => itemsOf(streamed),
      ([, answer]) => answer?.status === 'incomplete',
    )
    expect(items).toMatchObject([{ role: 'user' }, { role: 'assistant', status: 'incomplete' }])
    for (const id of [whole, streamed]) expect(faultsOf(await branchRows(pool, id))).toEqual([])
  }, 90_000)
})

/** Polls for up to twenty seconds until `holds`; gives what was read last. */
async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read()
    if (holds(value) || tries > 80) return value
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
