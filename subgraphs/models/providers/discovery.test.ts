import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { startFakeProvider } from '../../../platform/testing/fake-provider.ts'
import { discoverRuntimes, type RuntimeCandidate, usualRuntimes } from './discovery.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

const candidate = (name: string, url: string): RuntimeCandidate => ({ vendor: 'custom', name, url })
const http = (status: number, type: string, body: string) =>
  listen(createServer((_, response) => response.writeHead(status, { 'content-type': type }).end(body)))

describe('the discovery of runtimes', () => {
  it('finds those that speak the API, without models too, and leaves all else out, also what never answers', async () => {
    const fake = await startFakeProvider({ models: ['llama3'] })
    const candidates = [
      candidate('real', fake.url),
      candidate('empty', await http(200, 'application/json', '{"object":"list","data":null}')),
      candidate('website', await http(200, 'text/html', '<html></html>')),
      candidate('other API', await http(200, 'application/json', '{"status":"ok"}')),
      candidate('404', await http(404, 'application/json', '{"error":{"message":"no"}}')),
      candidate('wants a key', await http(401, 'application/json', '{}')),
      candidate('silent', await listen(createSocketServer(() => undefined))),
      candidate('closed', 'http://127.0.0.1:9/v1'),
    ]
    const found = await discoverRuntimes({ candidates, timeoutMs: 2_000 })
    expect(found.map(({ name, models }) => [name, models.map((model) => model.id)])).toEqual([
      ['real', ['llama3']],
      ['empty', []],
    ])
    await fake.close()
  })

  it('does not ask our own port', async () => {
    const ours = await startFakeProvider()
    expect(
      await discoverRuntimes({ candidates: [candidate('us', ours.url)], exceptPorts: [ours.port] }),
    ).toEqual([])
    expect(ours.requests).toHaveLength(0)
    await ours.close()
  })

  it('knows the usual ports', () => {
    expect(usualRuntimes.map(({ url }) => new URL(url).port)).toEqual([
      '1337',
      '11434',
      '1234',
      '8080',
      '8000',
    ])
  })
})
