import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Database, openDatabase } from '../db.ts'
import { createLogger } from '../log.ts'
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { memoryRateLimitStore } from './memory-rate-limit-store.ts'
import { edgePersistence } from './persistence.ts'
import { postgresRateLimitStore } from './postgres-rate-limit-store.ts'
import type { RateLimitStore } from './rate-limit-store.ts'

let testDatabase: TestDatabase
let database: Database
beforeAll(async () => {
  testDatabase = await createTestDatabase()
  const log = createLogger({ level: 'silent', format: 'json' })
  database = openDatabase({ url: testDatabase.url, poolSize: 4, log })
  await database.attach(edgePersistence)
}, 60_000)
afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

const window = { name: 'ten', points: 10, seconds: 60 }

describe.each<[string, () => RateLimitStore]>([
  ['in memory', memoryRateLimitStore],
  ['in the database', () => postgresRateLimitStore(database)],
])('a window %s', (_, create) => {
  it('loses nothing to a draw that it refuses', async () => {
    const [store, key] = [create(), randomUUID()]
    await store.draw(window, key, 6)
    for (let time = 0; time < 3; time += 1)
      expect(await store.draw(window, key, 5)).toMatchObject({ allowed: false, remaining: 4 })
    expect(await store.draw(window, key, 4)).toMatchObject({ allowed: true, remaining: 0 })
    expect(await store.draw(window, key, 1)).toMatchObject({ allowed: false, remaining: 0 })
  })

  it('has again what was given back, and no more', async () => {
    const [store, key] = [create(), randomUUID()]
    const draw = await store.draw(window, key, 8)
    await store.giveBack(window, key, 8, draw)
    expect(await store.draw(window, key, 10)).toMatchObject({ allowed: true, remaining: 0 })
    expect(await store.draw(window, key, 1)).toMatchObject({ allowed: false })
  })

  it('gives nothing back into the window after the one that was drawn from', async () => {
    const [store, key] = [create(), randomUUID()]
    await store.giveBack(window, key, 8, { allowed: true, remaining: 2, resetsAt: Date.now() - 1 })
    expect(await store.draw(window, key, 1)).toMatchObject({ remaining: 9 })
  })

  it('gives no place to two who ask at once', async () => {
    const [store, key] = [create(), randomUUID()]
    const draws = await Promise.all(Array.from({ length: 20 }, () => store.draw(window, key, 3)))
    expect(draws.filter(({ allowed }) => allowed)).toHaveLength(3)
    expect(await store.draw(window, key, 1)).toMatchObject({ allowed: true, remaining: 0 })
  })
})
