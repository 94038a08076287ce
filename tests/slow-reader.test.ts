import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

/** 400 MB: more than any buffer between the provider and the reader holds. */
const pieces = 6_000
const piece = JSON.stringify(chatChunk({ content: 'x'.repeat(64 * 1024) }))
const total = pieces * piece.length

/** Megabytes over all processes: what their garbage collectors let lie, and far from the whole answer. */
const mostGrowth = 220

describe('a reader slower than its provider', () => {
  it('slows the provider down, and costs no memory however long the answer is', async () => {
    fake.script({
      chunks: [chatChunk({ role: 'assistant' }), ...Array<string>(pieces).fill(piece), chatChunk({}, 'stop')],
    })
    const arrival = fake.request()
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'fake-model',
        messages: [{ role: 'user', content: 'Long' }],
        stream: true,
      }),
    })
    const request = await arrival
    await settled(() => request.bytesSent)
    expect(request.bytesSent).toBeLessThan(total / 3)

    const memoryBefore = residentMegabytes()
    let most = memoryBefore
    let read = 0
    let measuredAt = 0
    for await (const bytes of response.body as ReadableStream<Uint8Array>) {
      read += bytes.length
      if (read - measuredAt < total / 10) continue
      measuredAt = read
      most = Math.max(most, residentMegabytes())
    }
    expect(read).toBeGreaterThan(total)
    expect(most - memoryBefore).toBeLessThan(mostGrowth)
  }, 60_000)
})

/** Waits until a figure has stood still for half a second. */
async function settled(figure: () => number): Promise<void> {
  for (let before = -1; figure() !== before; await sleep(500)) before = figure()
}

/** Of all processes of the server. */
function residentMegabytes(): number {
  const listed = execFileSync('ps', ['-o', 'rss=', '-p', server.pids().join(',')], { encoding: 'utf8' })
  return listed.split('\n').reduce((sum, kilobytes) => sum + Number(kilobytes), 0) / 1024
}
