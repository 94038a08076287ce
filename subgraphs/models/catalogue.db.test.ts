import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function provider(...models: string[]): Promise<FakeProvider> {
  const fake = await startFakeProvider({ models })
  open.push(() => fake.close())
  return fake
}

async function graph(environment: Record<string, string> = {}): Promise<TestGraph> {
  const test = await startTestGraph(environment)
  open.push(() => test.stop())
  return test
}

async function ask(test: TestGraph, text: string, actor: Actor = someActor()) {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: {},
    context: test.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as Record<string, { nodes: { id: string }[] }>
}

const listed = async (test: TestGraph) =>
  ((await ask(test, '{ models(first: 100) { nodes { id } } }')).models?.nodes ?? []).map(({ id }) => id)

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read()
    if (holds(value) || tries > 100) return value
    await sleep(50)
  }
}

describe('the catalogue', () => {
  it('answers with the development model, plainly labelled, where there is nothing else', async () => {
    const test = await graph()
    expect(await listed(test)).toEqual(['jan-dev', 'jan-dev-embedding', 'jan-v1-4b', 'jan-v2-30b'])
    const { createChatCompletion } = await ask(
      test,
      'mutation { createChatCompletion(input: { model: "jan-v2-30b", messages: [{ role: USER, content: "Hi" }] }) { content modelId } }',
    )
    expect(createChatCompletion).toEqual({
      modelId: 'jan-v2-30b',
      content: expect.stringContaining('development model'),
    })
  })

  it('has no development model in production, unless it is asked for', async () => {
    expect(await listed(await graph({ ENVIRONMENT: 'production' }))).toEqual([])
    expect(await listed(await graph({ ENVIRONMENT: 'production', DEVELOPMENT_MODEL: 'true' }))).toContain(
      'jan-dev',
    )
  })

  it('merges a model of two providers, lists them in order, and marks embedding models by their ids', async () => {
    // Its list arrives last; it is still the first to be asked.
    const first = await startFakeProvider({ models: ['shared', 'bge-small'], listDelayMs: 300 })
    open.push(() => first.close())
    const second = await provider('shared')
    const test = await graph({ VLLM_PROVIDER_URL: first.url, REMOTE_LLM_PROVIDER_URL: second.url })
    expect((await listed(test)).filter((id) => id === 'shared')).toHaveLength(1)
    const { shared, embedding } = await ask(
      test,
      '{ shared: model(id: "shared") { providers { name } } embedding: model(id: "bge-small") { capabilities { embeddings } } }',
    )
    expect(shared).toEqual({ providers: [{ name: 'vLLM' }, { name: 'Remote' }] })
    expect(embedding).toEqual({ capabilities: { embeddings: true } })
  })

  it('lets documented names mean a model of that name, the configured one, or the first that chats', async () => {
    const own = await provider('text-embed', 'real-chat', 'jan-v1-4b')
    const test = await graph({ VLLM_PROVIDER_URL: own.url })
    const { one, two } = await ask(
      test,
      '{ one: model(id: "jan-v1-4b") { aliasOf { id } } two: model(id: "jan-v2-30b") { aliasOf { id } } }',
    )
    expect([one, two]).toEqual([{ aliasOf: null }, { aliasOf: { id: 'jan-v1-4b' } }])
    const configured = await graph({
      VLLM_PROVIDER_URL: own.url,
      MODEL_ALIASES: 'jan-v2-30b=real-chat, mine=real-chat',
    })
    const { mine, documented } = await ask(
      configured,
      '{ mine: model(id: "mine") { aliasOf { id } } documented: model(id: "jan-v2-30b") { aliasOf { id } } }',
    )
    expect([mine, documented]).toEqual([{ aliasOf: { id: 'real-chat' } }, { aliasOf: { id: 'real-chat' } }])
  })

  it('starts without a provider that is down, and has its models soon after it is up', async () => {
    const down = await startFakeProvider()
    const { port } = down
    await down.close()
    const test = await graph({ VLLM_PROVIDER_URL: `http://127.0.0.1:${port}/v1` })
    expect(await listed(test)).toContain('jan-dev')
    const up = createServer((_, response) => response.end('{"object":"list","data":[{"id":"late-model"}]}'))
    up.listen(port, '127.0.0.1')
    open.push(async () => void up.close())
    const ids = await until(
      () => listed(test),
      (now) => now.includes('late-model'),
    )
    expect(ids).toEqual(['late-model', 'jan-v1-4b', 'jan-v2-30b'])
  })

  it('waits three seconds at most for a provider that is silent', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    open.push(async () => {
      silent.closeAllConnections()
      silent.close()
    })
    const start = performance.now()
    const test = await graph({
      VLLM_PROVIDER_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`,
    })
    expect(performance.now() - start).toBeLessThan(20_000)
    expect(await listed(test)).toContain('jan-dev')
  })

  it('encrypts keys at rest, shows them to nobody, and addresses to administrators only', async () => {
    const fake = await startFakeProvider({ models: ['m'], apiKey: 'sk-secret-provider-key' })
    open.push(() => fake.close())
    const test = await graph({ VLLM_PROVIDER_URL: fake.url, VLLM_INTERNAL_KEY: 'sk-secret-provider-key' })
    const { rows } = await test.services.database.pool.query('select * from models.provider')
    expect(JSON.stringify(rows)).not.toContain('sk-secret')
    expect(await listed(test)).toContain('m')
    const query = '{ providers { name baseUrl endpoints } }'
    const find = (data: Record<string, unknown>) =>
      (data.providers as { name: string; baseUrl: string | null }[]).find(({ name }) => name === 'vLLM')
    expect(find(await ask(test, query))).toEqual({ name: 'vLLM', baseUrl: null, endpoints: null })
    expect(find(await ask(test, query, someActor({ isAdmin: true })))?.baseUrl).toBe(fake.url)
  })

  it('reads providers from a file, with variables in it', async () => {
    const fake = await provider('from-file')
    const file = join(mkdtempSync(join(tmpdir(), 'providers-')), 'providers.yaml')
    writeFileSync(
      file,
      `providers:
  mine:
    - { name: Filed, vendor: Custom, base_url: "\${SOME_URL:-http://127.0.0.1:9/v1}" }
    - { name: Listless, vendor: custom, base_url: "\${SOME_URL}", models: [fixed-model] }
    - { name: Absent, vendor: custom, base_url: "\${NOT_SET}" }
`,
    )
    const test = await graph({
      JAN_PROVIDER_CONFIGS_FILE: file,
      JAN_PROVIDER_CONFIG_SET: 'mine',
      SOME_URL: fake.url,
    })
    expect(await listed(test)).toEqual(expect.arrayContaining(['from-file', 'fixed-model']))
  })

  it('finds a runtime on this machine, follows its models, and forgets it when it has gone', async () => {
    const runtime = await provider('local-chat', 'nomic-embed-text')
    const test = await graph({
      MODEL_DISCOVERY: 'true',
      MODEL_DISCOVERY_URLS: runtime.url,
      MODEL_DISCOVERY_INTERVAL_SECONDS: '1',
    })
    expect(await listed(test)).toEqual(['local-chat', 'nomic-embed-text', 'jan-v1-4b', 'jan-v2-30b'])
    const { model } = await ask(test, '{ model(id: "jan-v1-4b") { aliasOf { id } provider { source } } }')
    expect(model).toEqual({ aliasOf: { id: 'local-chat' }, provider: { source: 'DISCOVERED' } })
    runtime.setModels(['local-chat', 'pulled-since'])
    const grown = await until(
      () => listed(test),
      (ids) => ids.includes('pulled-since'),
    )
    expect(grown).not.toContain('nomic-embed-text')
    await runtime.close()
    open.splice(0, 1)
    const gone = await until(
      () => listed(test),
      (ids) => !ids.includes('local-chat'),
    )
    expect(gone).toContain('jan-dev')
  })

  it('follows what another process stores', async () => {
    const test = await graph()
    const { pool } = test.services.database
    await pool.query(`update models.catalog_entry set is_active = false where model_id = 'jan-dev-embedding'`)
    await pool.query(`select pg_notify('models_changed', 'another process')`)
    const ids = await until(
      () => listed(test),
      (now) => !now.includes('jan-dev-embedding'),
    )
    expect(ids).not.toContain('jan-dev-embedding')
  })

  it('costs no SQL to read', async () => {
    const test = await graph()
    test.takeStatements()
    await ask(
      test,
      '{ models { nodes { id provider { name modelCount } catalogEntry { id } } } providers { id } }',
    )
    expect(test.takeStatements()).toEqual([])
  })

  it('refuses a cursor that names no model', async () => {
    await expect(ask(await graph(), '{ models(after: "nothing") { nodes { id } } }')).rejects.toMatchObject({
      extensions: { code: 'invalid_cursor' },
    })
  })
})
