import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { crash, startHolder } from '../testing/holder.ts'
import { acquireInstanceLock, InstanceLockedError } from './instance-lock.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.ts'
import { isAlive } from './postmaster.ts'

let dataDir: string
let database: EmbeddedPostgres

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'jan-lock-'))
  database = await startEmbeddedPostgres({ dataDir })
})

afterAll(async () => {
  await database.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const acquire = (port: number) => acquireInstanceLock({ databaseUrl: database.url, port })

describe('the instance lock', () => {
  it('refuses a second holder and names the process and the port of the first', async () => {
    const lock = await acquire(8123)
    const refused = await acquire(8124).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InstanceLockedError)
    expect(refused).toMatchObject({ pid: process.pid, port: 8123 })
    expect((refused as Error).message).toContain(`(pid ${process.pid}, port 8123)`)
    await lock.release()
  })

  it('is free after its release, and names the next holder from then on', async () => {
    const first = await acquire(8001)
    await first.release()
    const second = await acquire(8002)
    await expect(acquire(8003)).rejects.toMatchObject({ port: 8002 })
    await second.release()
  })

  it('is won by exactly one of many who ask at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => acquire(9000 + i)))
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(InstanceLockedError)
    }
    for (const { value } of won) await value.release()
  })

  it('is not kept by a process that has died, even when its session lives on', async () => {
    const dead = await acquireInstanceLock({ databaseUrl: database.url, port: 8004, pid: deadPid() })
    const ended = new Promise<Error>((resolve) => dead.onLost(resolve))
    const lock = await acquire(8005)
    expect(await ended).toBeInstanceOf(Error)
    await dead.release()
    await lock.release()
  })

  it('tells its holder when the connection is lost, and never after a release', async () => {
    const released = await acquire(8006)
    let calls = 0
    released.onLost(() => {
      calls += 1
    })
    await released.release()
    const lock = await acquire(8007)
    const lost = new Promise<Error>((resolve) => lock.onLost(resolve))
    await endSessions()
    expect(await lost).toBeInstanceOf(Error)
    expect(calls).toBe(0)
    await lock.release()
  })
})

describe('two processes on one data folder', () => {
  it('leaves the first one and its database running when the second is refused', async () => {
    await database.stop()
    const first = await startHolder(dataDir, 8200)
    database = await startEmbeddedPostgres({ dataDir })
    expect(database.adopted).toBe(true)
    await expect(acquire(8201)).rejects.toMatchObject({ pid: first.process.pid, port: 8200 })
    expect(isAlive(first.database.pid)).toBe(true)

    await crash(first.process)
    const lock = await acquire(8201)
    let lost = false
    lock.onLost(() => {
      lost = true
    })
    await lock.releaseAfter(database.stop)
    expect(isAlive(first.database.pid)).toBe(false)
    expect(lost).toBe(false)
    database = await startEmbeddedPostgres({ dataDir })
  })
})

function deadPid(): number {
  let pid = 4_000_000
  while (isAlive(pid)) pid += 1
  return pid
}

async function endSessions(): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'jan instance %'`,
  )
  await client.end()
}
