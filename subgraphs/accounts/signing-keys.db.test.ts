import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { SubgraphDatabase } from '../../platform/db.ts'
import { createSecretBox } from '../../platform/secret-box.ts'
import { startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { ApiKey, SigningKey, User } from './entities.ts'
import { type BuiltinIssuer, builtinIssuer } from './issuers/builtin-issuer.ts'
import { keyRing } from './issuers/key-ring.ts'
import { signingKeySource } from './sources/signing-keys.ts'

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
beforeEach(() => test.services.database.pool.query('delete from accounts.signing_key'))

const user = Object.assign(new User(), {
  id: 'someone',
  identitySubject: 'someone',
  roles: ['user'],
  groups: [],
  featureFlags: [],
})

/** The issuer of one process. */
const issuerOf = (maxAgeMs: number, { secret = 'one secret', tokenLifeMs = 60_000 } = {}): BuiltinIssuer =>
  builtinIssuer({
    keys: keyRing({
      source: signingKeySource(database),
      secrets: createSecretBox(secret),
      log: test.services.log,
      maxAgeMs,
      tokenLifeMs,
    }),
    issuer: 'http://issuer.test',
    audience: 'account',
    accessLifeMs: 60_000,
    clockSkewMs: 0,
  })
const longMs = 3_600_000
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid
const countKeys = async () =>
  Number((await test.services.database.pool.query('select count(*) from accounts.signing_key')).rows[0].count)

describe('signing keys', () => {
  it('are made once, by whichever of several processes comes first', async () => {
    const processes = Array.from({ length: 6 }, () => issuerOf(longMs))
    const tokens = await Promise.all(processes.map((issuer) => issuer.issue(user, 'a-session')))
    expect(new Set(tokens.map(({ token }) => kidOf(token))).size).toBe(1)
    expect(await countKeys()).toBe(1)
  })

  it('lie in the database encrypted', async () => {
    await issuerOf(longMs).prepare()
    const { rows } = await test.services.database.pool.query(
      'select private_sealed, public_jwk from accounts.signing_key',
    )
    expect(rows[0].public_jwk).not.toHaveProperty('d')
    expect(rows[0].private_sealed).not.toContain(rows[0].public_jwk.x)
    expect(
      JSON.parse(createSecretBox('one secret').open('accounts/signing-key', rows[0].private_sealed)),
    ).toHaveProperty('d')
  })

  it('are rotated when they are old: tokens of the old key stay good, in every process', async () => {
    const [one, other] = [issuerOf(200), issuerOf(longMs)]
    const before = await one.issue(user, 'a-session')
    await other.prepare()
    await sleep(300)
    const after = await one.issue(user, 'a-session')
    expect(kidOf(after.token)).not.toBe(kidOf(before.token))
    expect((await one.verify(before.token)).identity.subject).toBe('someone')
    await sleep(1_000)
    expect((await other.verify(after.token)).identity.subject).toBe('someone')
    expect((await other.verify(before.token)).identity.subject).toBe('someone')
  })

  it('are published, the old beside the new, without their private parts', async () => {
    const issuer = issuerOf(200)
    const before = await issuer.issue(user, 'a-session')
    await sleep(300)
    const after = await issuer.issue(user, 'a-session')
    const published = await issuer.jwks()
    expect(published.keys).toHaveLength(2)
    expect(JSON.stringify(published)).not.toContain('"d"')
    const keys = createLocalJWKSet(published as never)
    for (const { token } of [before, after])
      expect((await jwtVerify(token, keys)).payload.sub).toBe('someone')
  })

  it('end when no token of theirs can be alive', async () => {
    const issuer = issuerOf(longMs)
    const { token } = await issuer.issue(user, 'a-session')
    await test.services.database.pool.query(
      "update accounts.signing_key set verifies_until = now() - interval '1 s'",
    )
    await expect(issuerOf(longMs).verify(token)).rejects.toMatchObject({ code: 'invalid_token' })
  })

  it('that were sealed under another secret go on verifying while a new one signs', async () => {
    const { token } = await issuerOf(longMs).issue(user, 'a-session')
    const moved = issuerOf(longMs, { secret: 'another secret' })
    const fresh = await moved.issue(user, 'a-session')
    expect(kidOf(fresh.token)).not.toBe(kidOf(token))
    expect((await moved.verify(token)).identity.subject).toBe('someone')
  })

  it('are not asked for again and again by tokens with made-up key ids', async () => {
    const issuer = issuerOf(longMs)
    const { token } = await issuer.issue(user, 'a-session')
    const forged = `${Buffer.from('{"alg":"ES256","kid":"made-up"}').toString('base64url')}.${token.split('.').slice(1).join('.')}`
    await issuer.verify(token)
    test.takeStatements()
    for (let n = 0; n < 20; n += 1)
      await expect(issuer.verify(forged)).rejects.toMatchObject({ code: 'invalid_token' })
    expect(test.takeStatements().filter((sql) => sql.includes('signing_key')).length).toBeLessThanOrEqual(1)
  })
})
