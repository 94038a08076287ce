import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startTestGraph } from './test.ts'

let server: Server
let url: string
beforeAll(async () => {
  server = createServer((_, response) => void response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => void server.close())

it.each([
  ['is not reached', {}, 'Nothing could be fetched from this URL.'],
  ['is reached where OUTBOUND_ALLOW_HOSTS names it', { OUTBOUND_ALLOW_HOSTS: 'minio, 127.0.0.0/8' }, 'hello'],
])('a URL of a user that leads to this machine %s', async (_, environment: Record<string, string>, told) => {
  const test = await startTestGraph(environment)
  try {
    const answer = test.services.outbound
      .fetch(url, { param: 'url', timeoutMs: 20_000, maxBytes: 100, signal: AbortSignal.any([]) })
      .then(({ body }) => text(body))
      .catch(({ message }: Error) => message)
    expect(await answer).toBe(told)
  } finally {
    await test.stop()
  }
})
