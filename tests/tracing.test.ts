import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { startTestServer, type TestServer } from './server.ts'

/** A span as OTLP's JSON has it. */
interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: Pick<SentSpan, 'attributes'>
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
  }[]
}

let collector: Server
let sent: Sent[]
let fake: FakeProvider
let server: TestServer
beforeAll(async () => {
  sent = []
  collector = createServer(async (request, response) => {
    sent.push((await json(request)) as Sent)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  fake = await startFakeProvider({ models: ['fake-model'] })
  server = await startTestServer({
    VLLM_PROVIDER_URL: fake.url,
    PROVIDER_MAX_RETRIES: '0',
    OTEL_ENABLED: 'true',
    OTEL_SERVICE_NAME: 'tried',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
  collector.close()
})

const spans = () =>
  sent
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap((scope) => scope.spans)

/** The spans of a trace, by name, once there are as many. */
async function traced(traceId: string, count: number): Promise<Map<string, SentSpan>> {
  for (;;) {
    const found = spans().filter((span) => span.traceId === traceId)
    if (found.length >= count) return new Map(found.map((span) => [span.name, span]))
    await sleep(20)
  }
}
const attributesOf = ({ attributes }: Pick<SentSpan, 'attributes'>) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

let count = 0
async function complete(body: object, flags = '01') {
  count += 1
  const traceId = String(count).padStart(32, 'a')
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.adminKey}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-00000000000000b1-${flags}`,
      'x-request-id': `trace-${count}`,
    },
    body: JSON.stringify({ model: 'fake-model', messages: [{ role: 'user', content: 'A secret' }], ...body }),
  })
  await response.text()
  return traceId
}

describe.each([{ stream: false }, { stream: true }])('a completion (%j)', ({ stream }) => {
  it('is a span under its caller’s, with the call of the provider under it', async () => {
    const traceId = await complete({ stream })
    const found = await traced(traceId, 2)
    const request = found.get('POST /v1/chat/completions')
    const call = found.get('chat fake-model')
    expect(request).toMatchObject({ parentSpanId: '00000000000000b1' })
    expect(attributesOf(request!)).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/chat/completions',
      'http.response.status_code': 200,
      'jan.request_id': `trace-${count}`,
    })
    expect(call).toMatchObject({ parentSpanId: request?.spanId })
    expect(attributesOf(call!)).toMatchObject({
      'gen_ai.provider.name': 'vLLM',
      'gen_ai.request.model': 'fake-model',
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 5,
      'jan.request_id': `trace-${count}`,
    })
    expect(fake.requests.at(-1)?.headers.traceparent).toBe(`00-${traceId}-${call?.spanId}-01`)
  })
})

it('a call that fails says of what', async () => {
  fake.script({ status: 503, body: { error: { message: 'busy' } } })
  const found = await traced(await complete({}), 2)
  expect(found.get('chat fake-model')?.status).toMatchObject({ code: 2 })
  expect(found.get('POST /v1/chat/completions')?.status.code).toBe(2)
})

it('what the caller does not sample is not told, and is sent on as such', async () => {
  const traceId = await complete({}, '00')
  await traced(await complete({}), 2)
  expect(spans().filter((span) => span.traceId === traceId)).toEqual([])
  expect(fake.requests.at(-2)?.headers.traceparent).toMatch(new RegExp(`^00-${traceId}-.{16}-00$`))
})

it('tells whose spans they are, and no texts or credentials', async () => {
  await traced(await complete({}), 2)
  expect(attributesOf(sent[0]!.resourceSpans[0]!.resource)).toMatchObject({ 'service.name': 'tried' })
  expect(JSON.stringify(sent)).not.toMatch(/A secret|sk_live|Hello from/)
})

it('does without a collector, and stops well', async () => {
  // its port is held, so that nobody else gets what is sent there
  const broken = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1')
  await once(broken, 'listening')
  const alone = await startTestServer({
    OTEL_ENABLED: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(broken.address() as AddressInfo).port}`,
    OTEL_BSP_SCHEDULE_DELAY: '10',
  })
  for (let at = 0; at < 5; at += 1) expect((await fetch(`${alone.url}/v1/version`)).status).toBe(200)
  while (!alone.output().includes('spans could not be sent')) await sleep(20)
  await alone.stop()
  broken.close()
})
