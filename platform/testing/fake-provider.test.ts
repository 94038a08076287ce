import { request as httpRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { chatChunk, type FakeProvider, startFakeProvider } from './fake-provider.ts'

let provider: FakeProvider

beforeEach(async () => {
  provider = await startFakeProvider({ models: ['a', { id: 'b', owned_by: 'me' }] })
})
afterEach(() => provider.close())

const chat = (body: object, signal?: AbortSignal) =>
  fetch(`${provider.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'x-test': 'yes' },
    ...(signal ? { signal } : {}),
  })
const stream = async (body: object = {}) => (await chat({ model: 'a', stream: true, ...body })).text()
const payloads = (text: string) =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((frame) => frame.slice('data: '.length))

describe('the fake provider', () => {
  it('lists its models and records what it was asked', async () => {
    const list = (await (await fetch(`${provider.url}/models`)).json()) as { data: { id: string }[] }
    expect(list.data.map((model) => model.id)).toEqual(['a', 'b'])
    await chat({ model: 'a', messages: [] })
    const [models, completion] = provider.requests
    expect(models).toMatchObject({ method: 'GET', path: '/v1/models' })
    expect(completion).toMatchObject({
      method: 'POST',
      json: { model: 'a', messages: [] },
      headers: { 'x-test': 'yes' },
      leftAt: null,
    })
  })

  it('answers plain, streamed with [DONE], and with usage where asked', async () => {
    expect(await (await chat({ model: 'a' })).json()).toMatchObject({
      model: 'a',
      usage: { total_tokens: 12 },
    })
    const plain = payloads(await stream())
    expect(plain.at(-1)).toBe('[DONE]')
    expect(plain.join('')).not.toContain('usage')
    expect(
      JSON.parse(payloads(await stream({ stream_options: { include_usage: true } })).at(-2) as string),
    ).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 5 },
    })
    const answer = await fetch(`${provider.url}/embeddings`, { method: 'POST', body: '{"input":["x","y"]}' })
    expect(((await answer.json()) as { data: unknown[] }).data).toHaveLength(2)
  })

  it('follows its script one request after the other, then behaves again', async () => {
    provider.script(
      { status: 429, body: { error: 'slow down' }, headers: { 'retry-after': '3' } },
      { text: 'second', extra: { x: 1 } },
    )
    const limited = await chat({})
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '3'])
    expect(await (await chat({})).json()).toMatchObject({
      x: 1,
      choices: [{ message: { content: 'second' } }],
    })
    expect((await chat({})).status).toBe(200)
  })

  it('sends the chunks it was given, framed and cut as told, without [DONE] if told so', async () => {
    provider.script({ chunks: [chatChunk({ content: '😀' }), 'raw'], done: false, crlf: true, cutBytes: 3 })
    expect(await stream()).toBe(
      `data: ${JSON.stringify(chatChunk({ content: '😀' }))}\r\n\r\ndata: raw\r\n\r\n`,
    )
  })

  it('hangs and resets where it was told to', async () => {
    provider.script({ reset: 'before-head' }, { hang: 'before-head' }, { reset: 'mid-stream' })
    await expect(chat({})).rejects.toThrow()
    await expect(chat({}, AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
    await expect(stream()).rejects.toThrow()
  })

  it('knows when the client left, and that another did not', async () => {
    provider.script({ hang: 'mid-stream' }, {})
    const leaving = httpRequest(`${provider.url}/chat/completions`, { method: 'POST' })
    leaving.on('error', () => undefined)
    leaving.end('{"stream":true}')
    const request = await provider.request(0)
    expect(request.leftAt).toBeNull()
    leaving.destroy()
    expect(await request.left()).toBe(request.leftAt)
    await stream()
    await expect((await provider.request(1)).left()).rejects.toThrow('ended before')
  })

  it('refuses other keys than its own', async () => {
    const strict = await startFakeProvider({ apiKey: 'sk-right' })
    const status = async (key: string) =>
      (await fetch(`${strict.url}/models`, { headers: { authorization: `Bearer ${key}` } })).status
    expect([await status('sk-right'), await status('sk-wrong')]).toEqual([200, 401])
    await strict.close()
  })
})
