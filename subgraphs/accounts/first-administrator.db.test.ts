import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { SubgraphDatabase } from '../../platform/db.ts'
import { startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { accountsConfig } from './config.ts'
import { ApiKey, SigningKey, User } from './entities.ts'
import { ensureFirstAdministrator } from './services/first-administrator.ts'
import { firstAdministratorSource } from './sources/first-administrator.ts'

let test: TestGraph
let database: SubgraphDatabase
beforeAll(async () => {
  test = await startTestGraph()
  database = await test.services.database.attach({
    name: 'accounts',
    entities: [User, ApiKey, SigningKey],
    migrations: [],
  })
})
afterAll(() => test.stop())
beforeEach(async () => {
  await test.services.database.pool.query('delete from accounts.api_key; delete from accounts.user_account')
})

/** What a process does when it starts with this environment. */
const start = (environment: Record<string, string> = {}) =>
  ensureFirstAdministrator(firstAdministratorSource(database), accountsConfig.parse(environment))

const isAdmin = async (key: string): Promise<boolean | string> => {
  const text =
    'query ($input: VerifyCredentialsInput!) { verifyCredentials(input: $input) { actor { isAdmin } } }'
  return test.graph.trusted.execute(parse(text), { input: { bearer: key } }, test.contextFor(null)).then(
    (result) =>
      (result as { verifyCredentials: { actor: { isAdmin: boolean } } }).verifyCredentials.actor.isAdmin,
    (error: { code: string }) => error.code,
  )
}
const keyIn = (notices: readonly string[]): string =>
  /sk_live_[0-9a-f]{48}/.exec(notices.join('\n'))?.[0] ?? ''
const countUsers = async () =>
  Number(
    (await test.services.database.pool.query('select count(*) from accounts.user_account')).rows[0].count,
  )

describe('the first administrator', () => {
  it('gets a key at the first start, told once', async () => {
    const key = keyIn(await start())
    expect(await isAdmin(key)).toBe(true)
    expect(await start()).toEqual([])
    expect(await isAdmin(key)).toBe(true)
    expect(await countUsers()).toBe(1)
  })

  it('is one, with one key, when several processes start at once', async () => {
    const notices = await Promise.all(Array.from({ length: 6 }, () => start()))
    expect(notices.flat()).toHaveLength(1)
    expect(await countUsers()).toBe(1)
    expect(await isAdmin(keyIn(notices.flat()))).toBe(true)
  })

  it('gets in with JAN_ADMIN_API_KEY, and nothing is printed', async () => {
    expect(await start({ JAN_ADMIN_API_KEY: 'sk_live_the-first-one' })).toEqual([])
    expect(await isAdmin('sk_live_the-first-one')).toBe(true)
  })

  it('gets in with the key that the environment has now, not with one that it had', async () => {
    await start({ JAN_ADMIN_API_KEY: 'sk_live_the-first-one' })
    await start({ JAN_ADMIN_API_KEY: 'sk_live_the-second-one' })
    expect(await isAdmin('sk_live_the-first-one')).toBe('invalid_api_key')
    expect(await isAdmin('sk_live_the-second-one')).toBe(true)
    await start({ JAN_ADMIN_API_KEY: 'sk_live_the-first-one' })
    expect(await isAdmin('sk_live_the-first-one')).toBe(true)
    expect(await start()).toEqual([])
    expect(await isAdmin('sk_live_the-first-one')).toBe('invalid_api_key')
  })

  it('may put the printed key into the environment', async () => {
    const key = keyIn(await start())
    await start({ JAN_ADMIN_API_KEY: key })
    expect(await isAdmin(key)).toBe(true)
  })
})
