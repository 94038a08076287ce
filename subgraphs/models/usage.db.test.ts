import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Actor } from '../../platform/actor.ts'
import { chatChunk, type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, failure, readFrames } from './testing/caller.ts'

let fake: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['fake-model', 'fake-embedding'] })
  test = await startTestGraph({ VLLM_PROVIDER_URL: fake.url, PROVIDER_MAX_RETRIES: '0' })
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

const asked = { model: 'fake-model', messages: [{ role: 'user', content: 'Twelve bytes' }] }
/** A token per four bytes. */
const estimatedPrompt = 3
const told = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12, estimated: false }

/** The only row of this user, as it lies in the database. */
async function rowOf({ id }: Actor): Promise<Record<string, unknown>> {
  const read = async () => {
    const sql = 'select * from accounts.usage_record where user_id = $1'
    return (await test.services.database.pool.query(sql, [id])).rows
  }
  const rows = await eventually(read, (found) => found.length > 0)
  expect(rows).toHaveLength(1)
  return rows[0]
}

describe('the usage record', () => {
  it("of a whole answer has the provider's figures, the model, the provider and the duration", async () => {
    const actor = someActor()
    fake.script({ headDelayMs: 60 })
    await callerOf(test, actor).complete({ ...asked, model: 'jan-v1-4b' })
    const row = await rowOf(actor)
    expect(row).toMatchObject({
      ...told,
      model: 'jan-v1-4b',
      provider: 'vLLM',
      conversation_id: null,
      status: 'completed',
      stream: false,
      time_to_first_token_ms: null,
    })
    expect(row.id).toMatch(/^chatcmpl-/)
    expect(row.duration_ms).toBeGreaterThanOrEqual(60)
    expect(row.duration_ms).toBeLessThan(20_000)
  })

  it('of a stream has the time to the first token beside the duration', async () => {
    const actor = someActor()
    const chunks = [
      chatChunk({ role: 'assistant', content: '' }),
      chatChunk({ content: 'first' }),
      chatChunk({ content: ' second' }, 'stop'),
      { ...chatChunk({}), choices: [], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } },
    ]
    fake.script({ chunks, chunkDelayMs: 60 })
    await readFrames(await callerOf(test, actor).stream(asked))
    const row = await rowOf(actor)
    expect(row).toMatchObject({ ...told, status: 'completed', stream: true })
    expect(row.time_to_first_token_ms).toBeGreaterThanOrEqual(50)
    expect(Number(row.duration_ms) - Number(row.time_to_first_token_ms)).toBeGreaterThanOrEqual(100)
  })

  it('is an estimate, and says so, where the provider tells none; the answer tells the same', async () => {
    for (const streamed of [false, true]) {
      const actor = someActor()
      const caller = callerOf(test, actor)
      fake.script({ usage: false, text: 'one two' })
      const answer = streamed
        ? (await readFrames(await caller.stream({ ...asked, stream_options: { include_usage: true } }))).at(
            -1,
          )
        : JSON.parse(await caller.complete(asked))
      const row = await rowOf(actor)
      expect(row).toMatchObject({ prompt_tokens: estimatedPrompt, estimated: true, stream: streamed })
      expect(row.completion_tokens).toBeGreaterThanOrEqual(2)
      expect(row.total_tokens).toBe(Number(row.prompt_tokens) + Number(row.completion_tokens))
      expect(answer.usage).toEqual({
        prompt_tokens: row.prompt_tokens,
        completion_tokens: row.completion_tokens,
        total_tokens: row.total_tokens,
        estimated: true,
      })
    }
  })

  it('of a stream that its client leaves counts what was really produced', async () => {
    for (const leave of ['abort', 'return'] as const) {
      const actor = someActor()
      fake.script({ hang: 'mid-stream', text: 'one two three', usage: false })
      const leaving = new AbortController()
      const events = await callerOf(test, actor).stream(asked, leaving.signal)
      await readFrames(events, 4)
      if (leave === 'abort') leaving.abort()
      else await events.return?.()
      const row = await rowOf(actor)
      expect(row).toMatchObject({
        status: 'aborted',
        stream: true,
        estimated: true,
        prompt_tokens: estimatedPrompt,
      })
      expect(row.completion_tokens).toBeGreaterThanOrEqual(3)
      expect(row.completion_tokens).toBeLessThan(10)
      expect(row.time_to_first_token_ms).not.toBeNull()
    }
  })

  it('of a whole answer that its client leaves counts the prompt', async () => {
    const actor = someActor()
    fake.script({ hang: 'before-head' })
    const leaving = new AbortController()
    const arrival = fake.request()
    const left = failure(callerOf(test, actor).complete(asked, leaving.signal))
    await arrival
    leaving.abort()
    expect((await left).code).toBe('client_closed_request')
    expect(await rowOf(actor)).toMatchObject({
      status: 'aborted',
      stream: false,
      estimated: true,
      prompt_tokens: estimatedPrompt,
      completion_tokens: 0,
      provider: 'vLLM',
    })
  })

  it('of a stream that breaks at the provider counts what came', async () => {
    const actor = someActor()
    fake.script({
      reset: 'mid-stream',
      chunks: ['one', ' two', ' three'].map((content) => chatChunk({ content })),
    })
    await failure(readFrames(await callerOf(test, actor).stream(asked)))
    const row = await rowOf(actor)
    expect(row).toMatchObject({ status: 'failed', stream: true, estimated: true })
    expect(row.completion_tokens).toBeGreaterThanOrEqual(3)
  })

  it('of a stored turn names its conversation, one that is begun too', async () => {
    for (const streamed of [false, true]) {
      const actor = someActor()
      const caller = callerOf(test, actor)
      const stored = { ...asked, conversation: {} }
      const answer = streamed
        ? (await readFrames(await caller.stream(stored))).at(-1)
        : JSON.parse(await caller.complete(stored))
      expect(await rowOf(actor)).toMatchObject({
        ...told,
        status: 'completed',
        conversation_id: answer.conversation.id,
      })
    }
  })

  it('is not written where the provider refuses: nothing was produced', async () => {
    const actor = someActor()
    const caller = callerOf(test, actor)
    fake.script({ status: 500 }, { status: 500 })
    await failure(caller.complete(asked))
    await failure(caller.stream(asked))
    await caller.complete(asked)
    expect(await rowOf(actor)).toMatchObject({ ...told, status: 'completed' })
  })

  it("of embeddings has the provider's figures, or an estimate that the answer tells too", async () => {
    const known = someActor()
    await callerOf(test, known).embed({ model: 'fake-embedding', input: ['a', 'b'] })
    expect(await rowOf(known)).toMatchObject({
      model: 'fake-embedding',
      provider: 'vLLM',
      prompt_tokens: 2,
      completion_tokens: 0,
      total_tokens: 2,
      estimated: false,
      status: 'completed',
      stream: false,
    })
    const inputs = [
      ['Twelve bytes', 3],
      [['Twelve bytes', 'Four'], 4],
      [[1, 2, 3], 3],
      [[[1, 2], [3]], 3],
    ] as const
    for (const [input, tokens] of inputs) {
      const actor = someActor()
      fake.script({
        body: { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1] }], model: 'x' },
      })
      const answer = JSON.parse(await callerOf(test, actor).embed({ model: 'fake-embedding', input }))
      const figures = { prompt_tokens: tokens, total_tokens: tokens, estimated: true }
      expect(answer.usage).toMatchObject(figures)
      expect(await rowOf(actor)).toMatchObject(figures)
    }
  })
})
