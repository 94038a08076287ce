import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import type { ExecutionResult } from 'graphql'
import { distinctStreams } from './distinct-streams.ts'

let server: Server
beforeAll(async () => {
  const app = express()
  app.get(
    '/',
    distinctStreams(async () =>
      (async function* (): AsyncGenerator<ExecutionResult> {
        yield { data: { count: 1 } }
      })(),
    ),
  )
  server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('a stream of results', () => {
  it('ends with its connection where the client has asked for that', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET /?query=subscription%7Bcount%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const answer = await text(socket)
    expect(answer).toMatch(/^connection: close\r$/im)
    expect(answer).toContain('event: next\ndata: {"data":{"count":1}}\n\n')
    expect(answer).toContain('event: complete\n')
  })
})
