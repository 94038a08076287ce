import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, failure } from './testing/caller.ts'

const models = ['plain', 'thinking', 'thinking-instruct', 'closed', 'trial', 'closed-embedding']
const messages = [{ role: 'user', content: 'Hello' }]

let fake: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider({ models })
  test = await startTestGraph({ VLLM_PROVIDER_URL: fake.url, MODEL_ALIASES: 'nickname=closed' })
  await changeCatalogue(`
    update models.provider_model set instruct_model_id = 'thinking-instruct' where model_id = 'thinking';
    update models.catalog_entry set supports_reasoning = true where model_id = 'thinking';
    update models.catalog_entry set supports_reasoning = false where model_id = 'plain';
    update models.catalog_entry set requires_feature_flag = 'insiders' where model_id like 'closed%';
    update models.catalog_entry set is_experimental = true where model_id = 'trial';
    update models.catalog_entry set supported_parameters =
      '{"names":[],"default":{"temperature":0.7,"top_p":0.9,"max_tokens":100,"top_k":null}}'
      where model_id = 'plain';`)
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

/** Writes as an administrator's route of another process will, and waits until this process has followed. */
async function changeCatalogue(sql: string): Promise<void> {
  const { pool } = test.services.database
  await pool.query(sql)
  await pool.query(`select pg_notify('models_changed', 'another process')`)
  await eventually(
    () => listed(someActor()),
    (ids) => !ids.includes('trial'),
  )
}

async function ask<Data>(text: string, actor: Actor): Promise<Data> {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: {},
    context: test.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as Data
}

async function listed(actor: Actor): Promise<string[]> {
  const { models } = await ask<{ models: { nodes: { id: string }[] } }>(
    '{ models(first: 100) { nodes { id } } }',
    actor,
  )
  return models.nodes.map(({ id }) => id)
}

const sent = async (fields: object, model = 'plain', actor = someActor()) => {
  await callerOf(test, actor).complete({ model, messages, ...fields })
  return fake.requests.at(-1)?.json
}

describe('a model behind a feature flag', () => {
  const insider = someActor({ featureFlags: ['insiders'] })

  it('does not exist for those without it: in lists, by id, in the catalogue, in chats and embeddings', async () => {
    const actor = someActor()
    for (const id of ['closed', 'nickname']) {
      expect(await listed(actor)).not.toContain(id)
      expect(await ask(`{ model(id: "${id}") { id } modelCatalog(id: "${id}") { id } }`, actor)).toEqual({
        model: null,
        modelCatalog: null,
      })
      const caller = callerOf(test, actor)
      for (const refused of [
        caller.complete({ model: id, messages }),
        caller.stream({ model: id, messages }),
        caller.embed({ model: id, input: 'x' }),
      ])
        expect(await failure(refused)).toMatchObject({ code: 'model_not_found', status: 404, param: 'model' })
    }
    const { modelCatalogs } = await ask<{ modelCatalogs: { nodes: { id: string }[] } }>(
      '{ modelCatalogs(first: 100) { nodes { id } } }',
      actor,
    )
    expect(modelCatalogs.nodes.map(({ id }) => id)).not.toContain('closed')
    expect(
      await failure(callerOf(test, actor).embed({ model: 'closed-embedding', input: 'x' })),
    ).toMatchObject({ code: 'model_not_found' })
  })

  it('is there for those with it, by its other names too', async () => {
    expect(await listed(insider)).toEqual(expect.arrayContaining(['closed', 'nickname']))
    expect(await ask('{ modelCatalog(id: "closed") { requiresFeatureFlag } }', insider)).toEqual({
      modelCatalog: { requiresFeatureFlag: 'insiders' },
    })
    expect(await sent({}, 'nickname', insider)).toMatchObject({ model: 'closed' })
    await callerOf(test, insider).embed({ model: 'closed-embedding', input: 'x' })
  })

  it('on trial needs the flag of experimental models', async () => {
    expect(await failure(sent({}, 'trial', insider))).toMatchObject({ code: 'model_not_found' })
    const tester = someActor({ featureFlags: ['experimental_models'] })
    expect(await sent({}, 'trial', tester)).toMatchObject({ model: 'trial' })
  })

  it('is never what a documented name means to everybody', async () => {
    expect(await ask('{ model(id: "jan-v1-4b") { aliasOf { id } } }', insider)).toEqual({
      model: { aliasOf: { id: 'plain' } },
    })
  })
})

describe('what the request says of the model', () => {
  it('deep_research needs a model that reasons, and puts the research instruction first', async () => {
    expect(await failure(sent({ deep_research: true }))).toMatchObject({
      code: 'deep_research_unsupported',
      status: 400,
      param: 'deep_research',
    })
    const body = await sent({ deep_research: true }, 'thinking')
    expect(body?.messages).toEqual([
      { role: 'system', content: expect.stringContaining('researcher') },
      ...messages,
    ])
    expect(body).not.toHaveProperty('deep_research')
  })

  it('enable_thinking: false means the instruct companion, unless images are to be made', async () => {
    const model = async (fields: object) => (await sent(fields, 'thinking'))?.model
    expect(await model({ enable_thinking: false })).toBe('thinking-instruct')
    expect(await model({ enable_thinking: false, image: true })).toBe('thinking')
    expect(await model({ enable_thinking: true })).toBe('thinking')
    expect(await model({})).toBe('thinking')
    expect((await sent({ enable_thinking: false }))?.model).toBe('plain')
    const answer = JSON.parse(
      await callerOf(test, someActor()).complete({ model: 'thinking', messages, enable_thinking: false }),
    )
    expect(answer.model).toBe('thinking')
  })

  it('fills what it leaves out from the catalogue, and keeps an explicit 0', async () => {
    expect(await sent({})).toEqual({
      model: 'plain',
      messages,
      temperature: 0.7,
      top_p: 0.9,
      max_tokens: 100,
    })
    expect(await sent({ temperature: 0, top_p: 0 })).toMatchObject({ temperature: 0, top_p: 0 })
    expect(await sent({ temperature: null })).toMatchObject({ temperature: 0.7 })
    expect(await sent({ max_completion_tokens: 5 })).not.toHaveProperty('max_tokens')
    expect(await sent({}, 'thinking')).toEqual({ model: 'thinking', messages })
  })
})

describe('the endpoints of a provider', () => {
  let folder: string
  let endpoints: FakeProvider[]
  let spread: TestGraph
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'providers-'))
    endpoints = await Promise.all([1, 2, 3].map(() => startFakeProvider({ models: ['spread'] })))
    const rows = [
      { url: endpoints[0]?.url, weight: 3, priority: 1 },
      { url: endpoints[1]?.url, weight: 1, priority: 1 },
      { url: endpoints[2]?.url, weight: 9, priority: 2 },
    ]
    const file = join(folder, 'providers.yaml')
    writeFileSync(file, JSON.stringify({ providers: { default: [{ name: 'Spread', endpoints: rows }] } }))
    spread = await startTestGraph({ JAN_PROVIDER_CONFIGS_FILE: file })
  })
  afterAll(async () => {
    await spread.stop()
    await Promise.all(endpoints.map((endpoint) => endpoint.close()))
    rmSync(folder, { recursive: true })
  })

  const chats = () =>
    endpoints.map(({ requests }) => requests.filter(({ path }) => path.endsWith('/chat/completions')).length)
  const complete = () => callerOf(spread, someActor()).complete({ model: 'spread', messages })

  it('share the calls by weight; those of a later priority get none', async () => {
    const before = chats()
    for (let call = 0; call < 16; call += 1) await complete()
    expect(chats().map((count, at) => count - (before[at] ?? 0))).toEqual([12, 4, 0])
  })

  it('stand in for each other: the same priority first, then the next', async () => {
    const before = chats()
    for (const endpoint of endpoints.slice(0, 2)) endpoint.script({ status: 500 })
    await complete()
    expect(chats().map((count, at) => count - (before[at] ?? 0))).toEqual([1, 1, 1])
  })

  it('stand in for each other in a stream, and where one cannot be reached', async () => {
    await endpoints[0]?.close()
    const before = chats()
    for (let call = 0; call < 4; call += 1) {
      const events = await callerOf(spread, someActor()).stream({ model: 'spread', messages })
      for await (const _ of events);
    }
    expect(chats().map((count, at) => count - (before[at] ?? 0))).toEqual([0, 4, 0])
    endpoints.splice(0, 1)
  })

  it('are shown to administrators with what is known of their health', async () => {
    for (let call = 0; call < 8; call += 1) await complete()
    const { data } = await spread.graph.clients.execute({
      document: parse('{ providers { name endpoints } }'),
      variables: {},
      context: spread.contextFor(someActor({ isAdmin: true })),
    })
    const { providers } = data as { providers: { name: string; endpoints: object[] }[] }
    expect(providers.find(({ name }) => name === 'Spread')?.endpoints).toMatchObject([
      { weight: 3, healthy: false },
      { weight: 1, healthy: true },
      { weight: 9, healthy: true },
    ])
  })
})
