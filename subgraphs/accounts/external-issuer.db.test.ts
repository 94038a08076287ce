import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { Actor } from '../../platform/actor.ts'
import { startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { erasureSource } from './sources/erasures.ts'

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

/** An identity provider on this machine: it publishes what it is told to. */
interface Provider {
  readonly issuer: string
  readonly discoveryUrl: string
  readonly jwksUrl: string
  fetches: number
  addKey(alg: string, kid: string): Promise<PrivateKey>
  stop(): Promise<void>
}

async function startProvider(): Promise<Provider> {
  let keys: JWK[] = []
  const server: Server = createServer((request, response) => {
    const body =
      request.url === '/certs'
        ? { keys }
        : {
            issuer: provider.issuer,
            jwks_uri: provider.jwksUrl,
            authorization_endpoint: `${provider.issuer}/auth`,
          }
    if (request.url === '/certs') provider.fetches += 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: Provider = {
    issuer: `${base}/realms/jan`,
    discoveryUrl: `${base}/realms/jan/.well-known/openid-configuration`,
    jwksUrl: `${base}/certs`,
    fetches: 0,
    async addKey(alg, kid) {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
      keys = [...keys, { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }]
      return privateKey
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return provider
}

const token = (provider: Provider, key: PrivateKey, kid: string, changes: JWTPayload = {}, alg = 'RS256') =>
  new SignJWT({
    iss: provider.issuer,
    aud: 'account',
    sub: 'ext-1',
    preferred_username: 'ada',
    email: 'ada@example.org',
    name: 'Ada Lovelace',
    scope: 'openid profile',
    realm_access: { roles: ['user', 'offline_access'] },
    exp: Math.floor(Date.now() / 1000) + 300,
    ...changes,
  })
    .setProtectedHeader({ alg, kid })
    .sign(key)

const verifyWith = async (test: TestGraph, bearer: string): Promise<Actor> => {
  const text = `query ($input: VerifyCredentialsInput!) {
    verifyCredentials(input: $input) { actor { id subject method roles scopes username email featureFlags isGuest isAdmin } }
  }`
  const result = await test.graph.trusted.execute(parse(text), { input: { bearer } }, test.contextFor(null))
  return (result as { verifyCredentials: { actor: Actor } }).verifyCredentials.actor
}

const guestLogin = (test: TestGraph) =>
  test.graph.clients.execute({
    document: parse('mutation { guestLogin { accessToken user { id } } }'),
    variables: {},
    context: test.contextFor(null),
  })

describe('an external OIDC issuer', () => {
  let provider: Provider
  let test: TestGraph
  let rsa: PrivateKey
  beforeAll(async () => {
    provider = await startProvider()
    rsa = await provider.addKey('RS256', 'rsa-1')
    test = await startTestGraph({ OIDC_DISCOVERY_URL: provider.discoveryUrl })
  })
  afterAll(async () => {
    await test.stop()
    await provider.stop()
  })
  const verify = (bearer: string) => verifyWith(test, bearer)

  it('vouches for users, who get an id of ours at first sight and keep it', async () => {
    const first = await verify(await token(provider, rsa, 'rsa-1'))
    expect(first).toMatchObject({
      subject: 'ext-1',
      method: 'jwt',
      roles: ['user'],
      scopes: ['openid', 'profile'],
      username: 'ada',
      email: 'ada@example.org',
      isGuest: false,
      isAdmin: false,
    })
    expect(first.id).toMatch(/^[0-9a-f-]{36}$/)
    const changed = await verify(
      await token(provider, rsa, 'rsa-1', { name: 'Ada King', email: 'king@example.org' }),
    )
    expect(changed).toMatchObject({ id: first.id, email: 'king@example.org' })
    const same = await Promise.all(
      Array.from({ length: 6 }, async () => verify(await token(provider, rsa, 'rsa-1', { sub: 'at once' }))),
    )
    expect(new Set(same.map(({ id }) => id)).size).toBe(1)
    expect(same[0]?.id).not.toBe(first.id)
  })

  it('does not bring back who has deleted the account, until tokens from before have ended', async () => {
    const bearer = await token(provider, rsa, 'rsa-1', { sub: 'leaving' })
    const actor = await verify(bearer)
    await test.graph.clients.execute({
      document: parse('mutation ($id: ID!) { deleteAccount(input: { confirm: $id }) { id } }'),
      variables: { id: actor.id },
      context: test.contextFor(actor),
    })
    await expect(verify(bearer)).rejects.toMatchObject({ code: 'invalid_token' })
    const { pool } = test.services.database
    const stored = 'select email, name from accounts.user_account where id = $1'
    expect((await pool.query(stored, [actor.id])).rows).toEqual([{ email: null, name: null }])
    await pool.query(
      `update accounts.user_account set deleted_at = now() - interval '25 hours' where id = $1`,
      [actor.id],
    )
    const own = await test.services.database.attach({ name: 'accounts', entities: [], migrations: [] })
    await erasureSource(own).sweep()
    const back = await verify(bearer)
    expect(back.id).not.toBe(actor.id)
  })

  it('takes one statement for a user who has not changed', async () => {
    await verify(await token(provider, rsa, 'rsa-1', { sub: 'steady' }))
    const again = await token(provider, rsa, 'rsa-1', { sub: 'steady' })
    test.takeStatements()
    await verify(again)
    expect(test.takeStatements().filter((sql) => sql.includes('accounts.user_account'))).toHaveLength(1)
  })

  it.each([
    ['the realm’s role, whatever its case', { realm_access: { roles: ['Admin'] } }, true],
    ['a role of the platform’s client', { resource_access: { 'jan-client': { roles: ['admin'] } } }, true],
    ['a role of somebody else’s client', { resource_access: { wiki: { roles: ['admin'] } } }, false],
    ['the attribute', { attributes: { is_admin: true } }, true],
    ['the attribute as text', { attributes: { is_admin: 'true' } }, false],
    ['the flag', { feature_flags: ['admin_access'] }, true],
  ])('makes administrators by %s', async (_, claims, isAdmin) => {
    const actor = await verify(
      await token(provider, rsa, 'rsa-1', { sub: JSON.stringify(claims), ...claims }),
    )
    expect(actor.isAdmin).toBe(isAdmin)
  })

  it('tells guests and flags', async () => {
    const claims = {
      sub: 'g',
      realm_access: { roles: ['guest'] },
      guest: true,
      feature_flags: ['experimental_models', 7],
    }
    expect(await verify(await token(provider, rsa, 'rsa-1', claims as JWTPayload))).toMatchObject({
      roles: ['guest'],
      isGuest: true,
      featureFlags: ['experimental_models'],
    })
  })

  it('may sign with any of the documented algorithms', async () => {
    for (const alg of ['RS384', 'RS512', 'ES256', 'PS256', 'EdDSA']) {
      const key = await provider.addKey(alg, `key-${alg}`)
      await sleep(510)
      expect((await verify(await token(provider, key, `key-${alg}`, {}, alg))).subject).toBe('ext-1')
    }
  })

  it('may leave out the audience, but not name another', async () => {
    expect((await verify(await token(provider, rsa, 'rsa-1', { aud: undefined }))).subject).toBe('ext-1')
    await expect(verify(await token(provider, rsa, 'rsa-1', { aud: 'other' }))).rejects.toMatchObject({
      code: 'invalid_token',
    })
    await expect(verify(await token(provider, rsa, 'rsa-1', { aud: [] }))).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  it.each([
    ['another issuer', { iss: 'http://evil.example' }, 'invalid_token'],
    ['a time that is over', { exp: 1_700_000_000 }, 'token_expired'],
    ['no end', { exp: undefined }, 'invalid_token'],
    ['no subject', { sub: undefined }, 'invalid_token'],
    ['a subject that can’t be stored', { sub: 'a\u0000b' }, 'invalid_token'],
  ])('is not believed with %s', async (_, changes, code) => {
    const bearer = await token(provider, rsa, 'rsa-1', changes)
    await expect(verify(bearer)).rejects.toMatchObject({ code, status: 401 })
  })

  it('is not believed when somebody else signed', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    await expect(verify(await token(provider, privateKey, 'rsa-1'))).rejects.toMatchObject({
      code: 'invalid_token',
    })
  })

  it('may rotate its keys: an unknown key id is fetched for, made-up ones only now and then', async () => {
    const fresh = await provider.addKey('RS256', 'rsa-2')
    await sleep(510)
    expect((await verify(await token(provider, fresh, 'rsa-2'))).subject).toBe('ext-1')
    const fetches = provider.fetches
    const forged = await token(provider, fresh, 'made-up')
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => verify(forged)))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(provider.fetches - fetches).toBeLessThanOrEqual(1)
  })

  it('keeps being believed by the keys that were had while it can’t be reached', async () => {
    const other = await startProvider()
    const key = await other.addKey('RS256', 'one')
    const own = await startTestGraph({
      JWKS_URL: other.jwksUrl,
      ISSUER: other.issuer,
      JWKS_REFRESH_INTERVAL: '1s',
    })
    try {
      expect((await verifyWith(own, await token(other, key, 'one'))).subject).toBe('ext-1')
      await other.stop()
      await sleep(1_100)
      expect((await verifyWith(own, await token(other, key, 'one'))).subject).toBe('ext-1')
    } finally {
      await own.stop()
    }
  })

  it('that was never reached is trouble, not a bad token', async () => {
    const gone = await startProvider()
    const key = await gone.addKey('RS256', 'one')
    await gone.stop()
    const own = await startTestGraph({ JWKS_URL: gone.jwksUrl, ISSUER: gone.issuer })
    try {
      const bearer = await token(gone, key, 'one')
      await expect(verifyWith(own, bearer)).rejects.toMatchObject({
        code: 'service_unavailable',
        status: 503,
      })
    } finally {
      await own.stop()
    }
  })

  it('has tokens that can be revoked here', async () => {
    for (const changes of [{ jti: 'one' }, { sub: 'without jti' }]) {
      const bearer = await token(provider, rsa, 'rsa-1', changes)
      await verify(bearer)
      await test.graph.clients.execute({
        document: parse('mutation ($input: RevokeTokenInput!) { revokeToken(input: $input) { revoked } }'),
        variables: { input: { token: bearer } },
        context: test.contextFor(null),
      })
      await expect(verify(bearer)).rejects.toMatchObject({ code: 'token_revoked' })
    }
    expect((await verify(await token(provider, rsa, 'rsa-1', { jti: 'two' }))).subject).toBe('ext-1')
  })

  it('takes the built-in issuer’s place, unless that is switched on beside it', async () => {
    expect((await guestLogin(test)).errors?.[0]?.extensions.code).toBe('feature_disabled')
    expect(
      await test.graph.trusted.execute(parse('{ jwks openidConfiguration }'), {}, test.contextFor(null)),
    ).toEqual({
      jwks: null,
      openidConfiguration: null,
    })
    const both = await startTestGraph({ OIDC_DISCOVERY_URL: provider.discoveryUrl, BUILTIN_ISSUER: 'true' })
    try {
      const { data } = await guestLogin(both)
      const { accessToken, user } = data!.guestLogin as { accessToken: string; user: { id: string } }
      expect((await verifyWith(both, accessToken)).id).toBe(user.id)
      expect((await verifyWith(both, await token(provider, rsa, 'rsa-1'))).subject).toBe('ext-1')
    } finally {
      await both.stop()
    }
  })
})
