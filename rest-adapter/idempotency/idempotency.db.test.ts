import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import type { Actor } from '../../platform/actor.ts'
import { openDatabase } from '../../platform/db.ts'
import { departureSignal } from '../../platform/departure.ts'
import { edgePersistence } from '../../platform/edge-stores/persistence.ts'
import { postgresIdempotencyStore } from '../../platform/edge-stores/postgres-idempotency-store.ts'
import { postgresStreamLog } from '../../platform/edge-stores/postgres-stream-log.ts'
import { createLogger } from '../../platform/log.ts'
import { openNotifications } from '../../platform/notifications.ts'
import { createSecretBox } from '../../platform/secret-box.ts'
import { createTestDatabase } from '../../platform/testing/test-database.ts'
import { errorHandler } from '../errors.ts'
import { idempotency, keyedRequest } from './index.ts'

const log = createLogger({ level: 'silent', format: 'json' })
const actor = { id: 'a-user' } as Actor

let url: string
let close: () => Promise<void>
/** Lets the run that waits for it answer. */
let release: () => void
let runs = 0
beforeAll(async () => {
  const testDatabase = await createTestDatabase()
  const database = openDatabase({ url: testDatabase.url, poolSize: 4, log })
  const notifications = await openNotifications(testDatabase.url, database.pool, log)
  const own = await database.attach(edgePersistence)
  const secrets = createSecretBox('a root secret for tests only')
  const streams = postgresStreamLog({ database: own, notifications, secrets, log })
  const repeats = idempotency({ store: postgresIdempotencyStore(own), streams, maxWaitMs: 300 })
  const server = serve(async (request, response) => {
    const keyed = keyedRequest(request, actor, Buffer.alloc(0))
    if (!keyed) throw new Error('the test sends a key')
    await repeats.serve({
      keyed,
      request,
      response,
      signal: departureSignal(response),
      async run(detached) {
        runs += 1
        if (request.path === '/throws') throw new Error('told to nobody')
        await new Promise<void>((resolve) => {
          release = resolve
        })
        detached.json({ runs })
      },
    })
  })
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  close = async () => {
    server.close()
    await streams.close()
    await notifications.close()
    await database.close()
    await testDatabase.drop()
  }
}, 60_000)
afterAll(() => close())

function serve(handler: express.RequestHandler): Server {
  const app = express().post('/*path', handler)
  app.use(errorHandler(log))
  return createServer(app).listen(0, '127.0.0.1')
}

async function post(path: string, key: string) {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'idempotency-key': key } })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

describe('a duplicate whose first takes longer than anybody waits', () => {
  it('is told to come again, and gets the answer when it does', async () => {
    const first = post('/slow', 'slow')
    while (runs === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const early = await post('/slow', 'slow')
    expect(early.status).toBe(409)
    expect(early.body).toMatchObject({ error: { type: 'conflict_error', code: 'request_in_progress' } })
    expect(early.headers.get('retry-after')).toBe('5')
    release()
    expect((await first).body).toEqual({ runs: 1 })
    expect((await post('/slow', 'slow')).body).toEqual({ runs: 1 })
  })
})

describe('a run that throws past its response', () => {
  it('is cut, and leaves its key free', async () => {
    const before = runs
    expect((await post('/throws', 'throws')).status).toBe(503)
    expect((await post('/throws', 'throws')).status).toBe(503)
    expect(runs).toBe(before + 2)
  })
})
