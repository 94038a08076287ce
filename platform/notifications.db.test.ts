import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { pino } from 'pino'
import { type Notifications, openNotifications } from './notifications.ts'
import { createTestDatabase, type TestDatabase } from './testing/test-database.ts'

let database: TestDatabase
let pool: pg.Pool
let notifications: Notifications

beforeEach(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  // A connection that is still closing when its database is dropped hears of that: nobody minds.
  const ignore = () => undefined
  pool.on('error', ignore).on('connect', (client) => client.on('error', ignore))
  notifications = await openNotifications(database.url, pool, pino({ level: 'silent' }))
})

afterEach(async () => {
  await notifications.close()
  await pool.end()
  await database.drop()
})

const linkRows =
  "from pg_stat_activity where application_name = 'jan-notifications' and datname = current_database()"

async function links(): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as count ${linkRows}`)
  return rows[0].count
}

async function breakLink(): Promise<void> {
  const down = becomes(false)
  await pool.query(`select pg_terminate_backend(pid) ${linkRows}`)
  await down
}

function becomes(state: boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = notifications.onChange((connected) => {
      if (connected !== state) return
      stop()
      resolve()
    })
  })
}

function heardOn(channel: string): string[] {
  const heard: string[] = []
  notifications.follow(channel, (payload) => heard.push(payload))
  return heard
}

/** A proxy before the database that can stop carrying anything, without a word to either side. */
async function openWire(url: string) {
  const target = new URL(url)
  const sockets: Socket[] = []
  let frozen = false
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    sockets.push(near, far)
    near.on('data', (chunk) => frozen || far.write(chunk))
    far.on('data', (chunk) => frozen || near.write(chunk))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href,
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

describe('notifications', () => {
  it('have heard everything committed before, once caught up', async () => {
    const heard = heardOn('news')
    await notifications.caughtUp()
    for (const payload of ['a', 'b', 'c']) await notifications.publish('news', payload)
    await notifications.caughtUp()
    expect(heard).toEqual(['a', 'b', 'c'])
  })

  it('reconnect after a broken link and hear again', async () => {
    const heard = heardOn('news')
    await breakLink()
    expect(notifications.connected).toBe(false)
    await notifications.caughtUp()
    await becomes(true)
    await notifications.publish('news', 'again')
    await notifications.caughtUp()
    expect(heard).toEqual(['again'])
    expect(await links()).toBe(1)
  })

  it('count a refused LISTEN as a lost link', async () => {
    const down = becomes(false)
    // The one name that PostgreSQL refuses.
    notifications.follow('', () => undefined)
    await down
    expect(notifications.connected).toBe(false)
  })

  it('count a link that no longer answers as lost, and replace it', async () => {
    const wire = await openWire(database.url)
    const log = pino({ level: 'silent' })
    const distant = await openNotifications(wire.url, pool, log)
    wire.freeze()
    await distant.caughtUp()
    expect(distant.connected).toBe(false)
    wire.thaw()
    const heard: string[] = []
    distant.follow('news', (payload) => heard.push(payload))
    while (!distant.connected) await sleep(50)
    await notifications.publish('news', 'again')
    await distant.caughtUp()
    expect(heard).toEqual(['again'])
    await distant.close()
    wire.close()
  })

  it('leave nothing open when closed during an outage', async () => {
    await breakLink()
    await notifications.close()
    await sleep(1_300)
    expect(await links()).toBe(0)
  })

  it('leave nothing open when closed while reconnecting', async () => {
    await breakLink()
    await sleep(995)
    for (let wait = 0; wait < 3; wait++) await new Promise(setImmediate)
    await notifications.close()
    await sleep(300)
    expect(await links()).toBe(0)
    expect(notifications.connected).toBe(false)
  })
})
