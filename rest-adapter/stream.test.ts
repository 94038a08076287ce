import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { AppError } from '../platform/errors.ts'
import { createLogger } from '../platform/log.ts'
import { sendEventStream } from './stream.ts'

const context = { requestId: 'req_test', log: createLogger({ level: 'silent', format: 'json' }) }
const event = (text: string) => `data: ${text}\n\n`

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
})

/** Serves one stream of `events`; gives its address and what became of it. */
async function serve(events: AsyncGenerator<string>, heartbeatMs?: number) {
  const over = Promise.withResolvers<unknown>()
  const app = express()
  app.get('/', async (_, response) => {
    const options = heartbeatMs === undefined ? {} : { heartbeatMs }
    await sendEventStream(response, events, event, context, options).then(over.resolve, (error) => {
      over.resolve(error)
      response.status(500).end()
    })
  })
  server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, over: over.promise }
}

describe('an event stream', () => {
  it('breaks silence with comments, and only silence', async () => {
    const { url } = await serve(
      (async function* () {
        yield 'one'
        await sleep(600)
        for (const text of ['two', 'three', 'four']) {
          yield text
          await sleep(20)
        }
      })(),
      50,
    )
    const text = await (await fetch(url)).text()
    const [silent, busy] = text.split(event('two')) as [string, string]
    expect(silent.split(': ping\n\n').length - 1).toBeGreaterThanOrEqual(2)
    expect(busy).toBe(`${event('three')}${event('four')}${event('[DONE]')}`)
    expect(text.replaceAll(': ping\n\n', '')).toBe(
      ['one', 'two', 'three', 'four', '[DONE]'].map(event).join(''),
    )
  })

  it('is not begun where the first event fails: the failure is thrown with nothing sent', async () => {
    const refusal = new AppError('model_not_found', 'There is no such model.')
    const { url, over } = await serve(
      // biome-ignore lint/correctness/useYield: it fails before its first event
      (async function* () {
        throw refusal
      })(),
    )
    const response = await fetch(url)
    expect([response.status, await response.text()]).toEqual([500, ''])
    expect(await over).toBe(refusal)
  })

  it('tells a later failure as its last event, with the request id and without [DONE]; ours is hidden', async () => {
    const failures = [new AppError('provider_error', 'The provider broke.'), new Error('a secret of ours')]
    const texts = []
    for (const failure of failures) {
      const { url } = await serve(
        (async function* () {
          yield 'one'
          throw failure
        })(),
      )
      texts.push(await (await fetch(url)).text())
      server?.close()
    }
    for (const text of texts) {
      const [first, last, ...rest] = text.split('\n\n').filter(Boolean)
      expect([first, rest]).toEqual(['data: one', []])
      expect(JSON.parse(String(last).slice('data: '.length)).error.request_id).toBe('req_test')
    }
    expect(texts[0]).toContain('"code":"provider_error"')
    expect(texts[1]).toContain('"code":"internal"')
    expect(texts[1]).not.toContain('secret')
  })

  it('waits for a slow reader in place of piling up what it has not read', async () => {
    const piece = 'x'.repeat(256 * 1024)
    let produced = 0
    const { url } = await serve(
      (async function* () {
        for (; produced < 400; produced += 1) yield piece
      })(),
    )
    const response = await fetch(url)
    const reader = response.body?.getReader()
    await reader?.read()
    await sleep(300)
    const whilePaused = produced
    await sleep(200)
    expect(produced).toBe(whilePaused)
    expect(produced).toBeLessThan(100)
    while (!(await reader?.read())?.done);
    expect(produced).toBe(400)
  })

  it('ends with its connection where the client has asked for that', async () => {
    const { url } = await serve(
      (async function* () {
        yield 'one'
      })(),
    )
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const answer = await text(socket)
    expect(answer).toMatch(/^connection: close\r$/im)
    expect(answer).toContain(event('[DONE]'))
  })

  it('ends its source when the reader leaves', async () => {
    let ended = false
    const { url, over } = await serve(
      (async function* () {
        try {
          for (;;) {
            yield 'more'
            await sleep(5)
          }
        } finally {
          ended = true
        }
      })(),
    )
    const leaving = new AbortController()
    const response = await fetch(url, { signal: leaving.signal })
    await response.body?.getReader().read()
    leaving.abort()
    await over
    expect(ended).toBe(true)
  })
})
