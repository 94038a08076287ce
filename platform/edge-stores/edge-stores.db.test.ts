import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Database, openDatabase, type SubgraphDatabase } from '../db.ts'
import { createLogger } from '../log.ts'
import { type Notifications, openNotifications } from '../notifications.ts'
import { createSecretBox } from '../secret-box.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { removeExpiredStreams } from './expired-streams.ts'
import type { IdempotencyStore } from './idempotency-store.ts'
import { edgePersistence } from './persistence.ts'
import { postgresIdempotencyStore } from './postgres-idempotency-store.ts'
import { type PostgresStreamLog, postgresStreamLog } from './postgres-stream-log.ts'
import { StreamCut, type StreamLog } from './stream-log.ts'

/** What one process has: connections, a store and a log of its own. */
interface Process {
  readonly database: Database
  readonly own: SubgraphDatabase
  readonly notifications: Notifications
  readonly store: IdempotencyStore
  readonly streams: PostgresStreamLog
}

const log = createLogger({ level: 'silent', format: 'json' })
/** Longer than a reader elsewhere takes to say again that it is there. */
const unreadMs = 2_500
let testDatabase: TestDatabase
let here: Process
let there: Process

async function openProcess(): Promise<Process> {
  const database = openDatabase({ url: testDatabase.url, poolSize: 4, log })
  const notifications = await openNotifications(testDatabase.url, database.pool, log)
  const own = await database.attach(edgePersistence)
  const secrets = createSecretBox('a root secret for tests only')
  const options = { database: own, notifications, secrets, log, unreadMs, renewMs: 100 }
  return {
    database,
    own,
    notifications,
    store: postgresIdempotencyStore(own),
    streams: postgresStreamLog(options),
  }
}

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  here = await openProcess()
  there = await openProcess()
}, 60_000)
afterAll(async () => {
  for (const { streams, notifications, database } of [here, there]) {
    await streams.close()
    await notifications.close()
    await database.close()
  }
  await testDatabase.drop()
})

const forever = new AbortController().signal
const body = Buffer.from('a digest')

async function claimedBy(
  { store }: Process,
  scope = randomBytes(32),
): Promise<{ scope: Buffer; run: string }> {
  const claim = await store.claim(scope, body)
  if (claim.outcome !== 'claimed') throw new Error(`expected to claim, found it ${claim.outcome}`)
  return { scope, run: claim.run }
}

async function readAll(streams: StreamLog, run: string, from = 0, signal = forever): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of streams.read(run, from, signal)) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('a claim', () => {
  it('is given to one of many who ask at once, in two processes', async () => {
    const scope = randomBytes(32)
    const askers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? here : there))
    const claims = await Promise.all(askers.map(({ store }) => store.claim(scope, body)))
    expect(claims.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1)
    expect(claims.filter(({ outcome }) => outcome === 'known')).toHaveLength(19)
    expect(new Set(claims.map((claim) => 'run' in claim && claim.run)).size).toBe(1)
  })

  it('is refused for another body', async () => {
    const { scope } = await claimedBy(here)
    expect(await there.store.claim(scope, Buffer.from('another'))).toMatchObject({ outcome: 'conflict' })
  })

  it.each(['spent', 'cut'] as const)('is free again after a run that was %s, for any body', async (end) => {
    const { scope, run } = await claimedBy(here)
    const writer = here.streams.writer(run)
    await (end === 'cut' ? writer.cut() : writer.end(Buffer.from('no'), 'spent'))
    const again = await there.store.claim(scope, Buffer.from('another'))
    expect(again.outcome).toBe('claimed')
    expect(again).not.toMatchObject({ run })
  })

  it('is taken over by one of many when its process is gone', async () => {
    const { scope, run } = await claimedBy(here)
    await lapse(run)
    const askers = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? here : there))
    const claims = await Promise.all(askers.map(({ store }) => store.claim(scope, body)))
    expect(claims.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1)
    expect(claims.map((claim) => 'run' in claim && claim.run)).not.toContain(run)
  })

  it('is renewed while its run goes on', async () => {
    const { scope, run } = await claimedBy(here)
    const writer = here.streams.writer(run)
    const reading = readAll(here.streams, run)
    await lapse(run)
    await sleep(300)
    expect(await there.store.claim(scope, body)).toEqual({ outcome: 'known', run })
    await writer.end(Buffer.from('done'), 'kept')
    expect(await reading).toBe('done')
  })
})

/** Makes the claim on a run look as it would after its process had died. */
async function lapse(run: string): Promise<void> {
  await here.database.pool.query(
    `update edge.stream set lease_until = clock_timestamp() - interval '1 second' where id = $1`,
    [run],
  )
}

describe('a log', () => {
  it('is read here at once, elsewhere soon, and from any byte on', async () => {
    const { run } = await claimedBy(here)
    const writer = here.streams.writer(run)
    writer.append(Buffer.from('one '))
    const [first, second] = [readAll(here.streams, run), readAll(there.streams, run)]
    writer.append(Buffer.from('two '))
    await sleep(200)
    const late = readAll(there.streams, run, 2)
    writer.append(Buffer.from('three '))
    await writer.end(Buffer.from('end'), 'kept')
    expect(await first).toBe('one two three end')
    expect(await second).toBe('one two three end')
    expect(await late).toBe('e two three end')
    expect(await readAll(here.streams, run, 6)).toBe('o three end')
  })

  it('holds bytes as they are', async () => {
    const { run } = await claimedBy(here)
    const bytes = randomBytes(300_000)
    const writer = here.streams.writer(run)
    for (let at = 0; at < bytes.length; at += 7_001) writer.append(bytes.subarray(at, at + 7_001))
    await writer.end(Buffer.alloc(0), 'kept')
    const parts: Buffer[] = []
    for await (const part of there.streams.read(run, 0, forever)) parts.push(part)
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  })

  it('tells its readers where it is cut', async () => {
    const { run } = await claimedBy(here)
    const writer = here.streams.writer(run)
    writer.append(Buffer.from('half'))
    const readers = [readAll(here.streams, run), readAll(there.streams, run)]
    const failing = readers.map((reader) => expect(reader).rejects.toBeInstanceOf(StreamCut))
    await sleep(150)
    await writer.cut()
    await Promise.all(failing)
  })

  it('ends for readers elsewhere when its process is gone', async () => {
    const { run } = await claimedBy(here)
    const reading = expect(readAll(there.streams, run)).rejects.toBeInstanceOf(StreamCut)
    await lapse(run)
    await reading
  })

  it('lets a reader go', async () => {
    const { run } = await claimedBy(here)
    here.streams.writer(run)
    for (const { streams } of [here, there]) {
      const leaving = new AbortController()
      const reading = expect(readAll(streams, run, 0, leaving.signal)).rejects.toThrow('left')
      leaving.abort(new Error('left'))
      await reading
    }
  })

  it('is given up when nobody reads it any more, and not before', async () => {
    const { run } = await claimedBy(here)
    const writer = here.streams.writer(run)
    const leaving = new AbortController()
    const reading = readAll(there.streams, run, 0, leaving.signal).catch(() => 'left')
    await sleep(unreadMs + 1_500)
    expect(writer.unread.aborted).toBe(false)
    leaving.abort()
    await reading
    const { promise, resolve } = Promise.withResolvers<void>()
    writer.unread.addEventListener('abort', () => resolve())
    await promise
  })

  it('that lost a part on its way is no answer for later, though readers here get all of it', async () => {
    const { scope, run } = await claimedBy(here)
    const broken = postgresStreamLog({
      database: { prepared: () => Promise.reject(new Error('no database')) },
      notifications: here.notifications,
      secrets: createSecretBox('a root secret for tests only'),
      log,
    })
    const writer = broken.writer(run)
    const reading = readAll(broken, run)
    writer.append(Buffer.from('whole '))
    await sleep(150)
    await writer.end(Buffer.from('answer'), 'kept')
    expect(await reading).toBe('whole answer')
    await broken.close()
    await lapse(run)
    expect((await there.store.claim(scope, body)).outcome).toBe('claimed')
  })

  it('is removed with its request when its time is over', async () => {
    const { scope, run } = await claimedBy(here)
    await here.streams.writer(run).end(Buffer.from('old'), 'kept')
    await here.database.pool.query(
      `update edge.stream set expires_at = clock_timestamp() - interval '1 second' where id = $1`,
      [run],
    )
    await removeExpiredStreams(here.own)
    const { rows } = await here.database.pool.query(
      `select from edge.stream where id = $1
       union all select from edge.stream_part where stream_id = $1
       union all select from edge.idempotent_request where scope = $2`,
      [run, scope],
    )
    expect(rows).toHaveLength(0)
  })
})
