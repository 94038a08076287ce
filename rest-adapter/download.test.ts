import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { AppError } from '../platform/errors.ts'
import { createLogger } from '../platform/log.ts'
import { sendJsonDownload } from './download.ts'
import { errorHandler } from './errors.ts'

const piece = 'x'.repeat(64 * 1024)
/** 128 MB: more than all buffers between here and there. */
const count = 2_000

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
})

/** Serves a download of `pieces`. */
async function serve(pieces: AsyncIterable<string>): Promise<string> {
  const app = express()
  app.get('/', (_, response) => sendJsonDownload(response, pieces, 'a.json'))
  app.use(errorHandler(createLogger({ level: 'silent', format: 'json' })))
  server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Pieces that count themselves as they are taken. */
function counted() {
  const state = { taken: 0, ended: false }
  async function* pieces() {
    try {
      for (let at = 0; at < count; at += 1) {
        state.taken += 1
        yield piece
      }
    } finally {
      state.ended = true
    }
  }
  return { state, pieces: pieces() }
}

/** An answer of which nothing is read yet. */
async function opened(url: string): Promise<IncomingMessage> {
  const [response] = (await once(get(url), 'response')) as [IncomingMessage]
  return response
}

/** Waits until no more pieces are taken. */
async function held(state: { readonly taken: number }): Promise<number> {
  for (let before = -1; state.taken !== before; await sleep(300)) before = state.taken
  return state.taken
}

describe('a download', () => {
  it('has a name, is not to be kept, and is what its pieces make', async () => {
    const answer = await fetch(
      await serve(
        (async function* () {
          yield '{"a":'
          yield '1}'
        })(),
      ),
    )
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-disposition': 'attachment; filename="a.json"',
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(await answer.json()).toEqual({ a: 1 })
  })

  it('takes no piece before the last ones are read', async () => {
    const { state, pieces } = counted()
    const response = await opened(await serve(pieces))
    expect(await held(state)).toBeLessThan(count / 2)
    expect((await text(response)).length).toBe(count * piece.length)
    expect(state).toEqual({ taken: count, ended: true })
  })

  it('takes none after its client has left', async () => {
    const { state, pieces } = counted()
    const response = await opened(await serve(pieces))
    const taken = await held(state)
    response.destroy()
    while (!state.ended) await sleep(20)
    expect(state.taken - taken).toBeLessThanOrEqual(1)
  })

  it('that fails before its first batch fails with a status, and names no file', async () => {
    const answer = await fetch(
      await serve(
        // biome-ignore lint/correctness/useYield: it fails before
        (async function* (): AsyncGenerator<string> {
          throw new AppError('permission_denied', 'No.')
        })(),
      ),
    )
    expect([answer.status, answer.headers.get('content-disposition')]).toEqual([403, null])
  })

  it('that fails later is cut, not ended', async () => {
    const answer = await fetch(
      await serve(
        (async function* () {
          yield piece
          throw new Error('gone')
        })(),
      ),
    )
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
  })

  it('is not walked for HEAD', async () => {
    const { state, pieces } = counted()
    const answer = await fetch(await serve(pieces), { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-disposition')]).toEqual([
      200,
      'attachment; filename="a.json"',
    ])
    expect(state).toEqual({ taken: 1, ended: true })
  })
})
