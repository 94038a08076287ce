import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, failure, readFrames } from './testing/caller.ts'

const messages = [{ role: 'user', content: 'Hello' }]
/** The provider of what is asked for, and that of what stands in. */
let first: FakeProvider
let second: FakeProvider
let test: TestGraph
beforeAll(async () => {
  first = await startFakeProvider({ models: ['main'] })
  second = await startFakeProvider({ models: ['switched-off', 'closed', 'some-embedding', 'stand-in'] })
  test = await startTestGraph({
    VLLM_PROVIDER_URL: first.url,
    REMOTE_LLM_PROVIDER_URL: second.url,
    PROVIDER_MAX_RETRIES: '0',
    PROVIDER_BREAKER_FAULTS: '0',
    MODEL_ALIASES: 'nickname=main',
    MODEL_FALLBACKS: ['nobody', 'switched-off', 'closed', 'some-embedding', 'stand-in']
      .map((other) => `main=${other}`)
      .join(','),
  })
  const { pool } = test.services.database
  await pool.query(`
    update models.catalog_entry set requires_feature_flag = 'insiders' where model_id = 'closed';
    update models.catalog_entry set is_active = false where model_id = 'switched-off';
    update models.catalog_entry set supported_parameters = '{"names":[],"default":{"temperature":0.3}}'
      where model_id = 'stand-in';`)
  await pool.query(`select pg_notify('models_changed', 'another process')`)
  await eventually(
    () => failure(callerOf(test, someActor()).complete({ model: 'closed', messages })).catch(() => null),
    (refusal) => refusal?.code === 'model_not_found',
  )
})
afterAll(async () => {
  await test.stop()
  await Promise.all([first.close(), second.close()])
})

const chats = ({ requests }: FakeProvider) => requests.filter(({ path }) => path === '/v1/chat/completions')

describe('a model that stands in for one that fails', () => {
  it('answers under the name that was asked for, with its own defaults, whole and streamed', async () => {
    const caller = callerOf(test, someActor())
    for (const model of ['main', 'nickname']) {
      first.script({ status: 500 }, { reset: 'before-head' })
      expect(JSON.parse(await caller.complete({ model, messages }))).toMatchObject({ model })
      expect(chats(second).at(-1)?.json).toEqual({ model: 'stand-in', messages, temperature: 0.3 })
      const frames = await readFrames(await caller.stream({ model, messages }))
      expect(new Set(frames.map((frame) => frame.model))).toEqual(new Set([model]))
      expect(chats(second).at(-1)?.json).toMatchObject({ model: 'stand-in', stream: true })
    }
  })

  it('is one that the caller may use', async () => {
    first.script({ status: 500 })
    await callerOf(test, someActor({ featureFlags: ['insiders'] })).complete({ model: 'main', messages })
    expect(chats(second).at(-1)?.json?.model).toBe('closed')
  })

  it('is one that can do what is asked', async () => {
    const { pool } = test.services.database
    await pool.query(`update models.catalog_entry set supports_reasoning = true where model_id = 'main'`)
    await pool.query(`select pg_notify('models_changed', 'another process')`)
    const caller = callerOf(test, someActor())
    const research = { model: 'main', messages, deep_research: true }
    await eventually(
      () => caller.complete(research).catch(() => null),
      (answer) => answer !== null,
    )
    first.script({ status: 500 })
    const before = chats(second).length
    expect(await failure(caller.complete(research))).toMatchObject({ code: 'provider_error' })
    expect(chats(second)).toHaveLength(before)
  })

  it('is named by the usage record and by the stored answer', async () => {
    const actor = someActor()
    first.script({ status: 500 })
    const body = { model: 'main', messages, conversation: {} }
    const { conversation } = JSON.parse(await callerOf(test, actor).complete(body))
    const { pool } = test.services.database
    const records = await eventually(
      async () =>
        (await pool.query('select * from accounts.usage_record where user_id = $1', [actor.id])).rows,
      (rows) => rows.length > 0,
    )
    expect(records).toMatchObject([
      { model: 'stand-in', provider: 'Remote', conversation_id: conversation.id },
    ])
    const { rows } = await pool.query(
      `select model_id from conversations.item where role = 'assistant' and model_id = 'stand-in'`,
    )
    expect(rows).toHaveLength(1)
  })

  it('is not asked where the request is at fault', async () => {
    const before = chats(second).length
    first.script({ status: 400, body: { error: { message: 'no', param: 'n' } } })
    expect(await failure(callerOf(test, someActor()).complete({ model: 'main', messages }))).toMatchObject({
      code: 'invalid_parameter',
    })
    expect(chats(second)).toHaveLength(before)
  })

  it('never stands in for embeddings: its vectors would be none of the same space', async () => {
    const before = second.requests.length
    first.script({ status: 500 })
    expect(await failure(callerOf(test, someActor()).embed({ model: 'main', input: 'x' }))).toMatchObject({
      code: 'provider_error',
    })
    expect(second.requests).toHaveLength(before)
  })
})
