import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import {
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { startTestGraph, type TestGraph } from '../../wiring/test.ts'

const issuer = 'http://localhost:8000'

let test: TestGraph
/** The platform's own keys, as somebody with the database and the root secret would have them. */
let own: { kid: string; publicJwk: JWK; privateJwk: JWK }
beforeAll(async () => {
  test = await startTestGraph({ AUTH_CLOCK_SKEW: '60s' })
  const { rows } = await test.services.database.pool.query('select * from accounts.signing_key')
  own = {
    kid: rows[0].kid,
    publicJwk: rows[0].public_jwk,
    privateJwk: JSON.parse(test.services.secrets.open('accounts/signing-key', rows[0].private_sealed)),
  }
})
afterAll(() => test.stop())

const run = (text: string, variables: object, context = test.contextFor(null)) =>
  test.graph.trusted.execute(parse(text), variables, context) as Promise<
    Record<'verifyCredentials' | 'createApiKey', never>
  >

interface Verified {
  actor: Parameters<TestGraph['contextFor']>[0] & { id: string; scopes: string[] }
  expiresAt: string
  cacheKeys: string[]
}
const verify = async (input: { bearer?: string; apiKeys?: string[] }): Promise<Verified> =>
  (
    await run(
      'query ($input: VerifyCredentialsInput!) { verifyCredentials(input: $input) { actor { id subject method roles scopes username email featureFlags isGuest isAdmin } expiresAt cacheKeys } }',
      { input },
    )
  ).verifyCredentials

interface Guest {
  id: string
  token: string
}
const guest = async (): Promise<Guest> => {
  const { guestLogin } = (await run(
    'mutation { guestLogin { accessToken user { id } } }',
    {},
  )) as unknown as {
    guestLogin: { accessToken: string; user: { id: string } }
  }
  return { id: guestLogin.user.id, token: guestLogin.accessToken }
}
const keyOf = async ({ token }: Guest, input = {}): Promise<{ key: string; apiKey: { id: string } }> => {
  const { actor } = await verify({ bearer: token })
  const text = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }'
  return (await run(text, { input: { name: 'a key', ...input } }, test.contextFor(actor))).createApiKey
}

describe('access tokens', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const claims = async (changes: JWTPayload = {}): Promise<JWTPayload> => {
    const { id, token } = await guest()
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    return {
      iss: issuer,
      aud: 'account',
      sub: id,
      sid,
      jti: randomUUID(),
      iat: now(),
      exp: now() + 300,
      ...changes,
    }
  }
  const signed = async (payload: JWTPayload, header = {}) =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: own.kid, ...header })
      .sign(await importJWK(own.privateJwk, 'ES256'))

  it('are accepted when everything is right: the forgeries below differ in one thing each', async () => {
    const payload = await claims()
    expect((await verify({ bearer: await signed(payload) })).actor.id).toBe(payload.sub)
    const within = await claims({ exp: now() - 30 })
    expect((await verify({ bearer: await signed(within) })).actor.id).toBe(within.sub)
    const audiences = await claims({ aud: ['other', 'account'] })
    expect((await verify({ bearer: await signed(audiences) })).actor.id).toBe(audiences.sub)
  })

  it.each([
    ['another issuer', { iss: 'http://evil.example' }, 'invalid_token'],
    ['no issuer', { iss: undefined }, 'invalid_token'],
    ['another audience', { aud: 'somebody' }, 'invalid_token'],
    ['no audience', { aud: undefined }, 'invalid_token'],
    ['a time that is over', { exp: now() - 120 }, 'token_expired'],
    ['no end', { exp: undefined }, 'invalid_token'],
    ['a time that has not come', { nbf: now() + 120 }, 'invalid_token'],
    ['no id', { jti: undefined }, 'invalid_token'],
    ['no subject', { sub: undefined }, 'invalid_token'],
    ['a user that does not exist', { sub: randomUUID() }, 'invalid_token'],
    ['a session that does not exist', { sid: randomUUID() }, 'token_revoked'],
  ])('are refused with %s', async (_, changes, code) => {
    const bearer = await signed(await claims(changes))
    await expect(verify({ bearer })).rejects.toMatchObject({ code, status: 401 })
  })

  it('are refused unsigned (alg: none)', async () => {
    const bearer = new UnsecuredJWT(await claims()).encode()
    await expect(verify({ bearer })).rejects.toMatchObject({ code: 'invalid_token' })
    const [, payload] = (await signed(await claims())).split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: own.kid })).toString('base64url')
    await expect(verify({ bearer: `${header}.${payload}.` })).rejects.toMatchObject({ code: 'invalid_token' })
  })

  it('are refused when another key signed them, under our key id, its own, or none', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    for (const kid of [own.kid, 'made-up', undefined]) {
      const bearer = await new SignJWT(await claims())
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(privateKey)
      await expect(verify({ bearer })).rejects.toMatchObject({ code: 'invalid_token' })
    }
  })

  it('are refused when the public key was used as a shared secret (HS256)', async () => {
    const spki = await exportSPKI(
      (await importJWK(own.publicJwk, 'ES256', { extractable: true })) as CryptoKey,
    )
    for (const secret of [spki, JSON.stringify(own.publicJwk)]) {
      const bearer = await new SignJWT(await claims())
        .setProtectedHeader({ alg: 'HS256', kid: own.kid })
        .sign(new TextEncoder().encode(secret))
      await expect(verify({ bearer })).rejects.toMatchObject({ code: 'invalid_token' })
    }
  })

  it('are refused when their payload was changed, or when they are no tokens at all', async () => {
    const [header, , signature] = (await signed(await claims())).split('.')
    const payload = Buffer.from(
      JSON.stringify(await claims({ realm_access: { roles: ['admin'] } })),
    ).toString('base64url')
    for (const bearer of [
      `${header}.${payload}.${signature}`,
      'nonsense',
      'a.b.c',
      '..',
      '\u0000',
      'x'.repeat(10_000),
    ]) {
      await expect(verify({ bearer })).rejects.toMatchObject({ code: 'invalid_token' })
    }
  })

  it('do not make anybody an administrator by what they say: the database knows the roles', async () => {
    const bearer = await signed(
      await claims({ realm_access: { roles: ['admin'] }, feature_flags: ['admin_access'] }),
    )
    expect((await verify({ bearer })).actor).toMatchObject({
      roles: ['guest'],
      isAdmin: false,
      featureFlags: [],
    })
  })
})

describe('API keys as credentials', () => {
  it('speak for their owner, as a key or as a bearer, in one statement', async () => {
    const owner = await guest()
    const { key, apiKey } = await keyOf(owner)
    test.takeStatements()
    const verified = await verify({ apiKeys: [key] })
    expect(test.takeStatements().filter((sql) => sql.includes('accounts.'))).toHaveLength(1)
    expect(verified.actor).toMatchObject({
      id: owner.id,
      subject: owner.id,
      method: 'api_key',
      scopes: ['read', 'write'],
    })
    expect(verified.cacheKeys).toEqual([`user:${owner.id}`, `key:${apiKey.id}`])
    expect((await verify({ bearer: key })).actor).toEqual(verified.actor)
  })

  it('are refused when unknown, expired, revoked or without a living owner', async () => {
    const { pool } = test.services.database
    const refused = { code: 'invalid_api_key', status: 401 }
    await expect(verify({ bearer: `sk_live_${'0'.repeat(48)}` })).rejects.toMatchObject(refused)
    await expect(verify({ apiKeys: ['sk_'] })).rejects.toMatchObject(refused)

    const expired = await keyOf(await guest())
    await pool.query("update accounts.api_key set expires_at = now() - interval '1 s' where id = $1", [
      expired.apiKey.id,
    ])
    await expect(verify({ bearer: expired.key })).rejects.toMatchObject(refused)

    for (const end of ['disabled_at', 'deleted_at']) {
      const owner = await guest()
      const { key } = await keyOf(owner)
      await pool.query(`update accounts.user_account set ${end} = now() where id = $1`, [owner.id])
      await expect(verify({ bearer: key })).rejects.toMatchObject(refused)
    }

    const owner = await guest()
    const revoked = await keyOf(owner)
    const { actor } = await verify({ bearer: owner.token })
    await run(
      'mutation ($id: ID!) { revokeApiKey(id: $id) { status } }',
      { id: revoked.apiKey.id },
      test.contextFor(actor),
    )
    await expect(verify({ bearer: revoked.key })).rejects.toMatchObject(refused)
  })

  it('of other systems in X-API-Key do not count', async () => {
    const { id, token } = await guest()
    expect((await verify({ bearer: token, apiKeys: ['AIza-something'] })).actor.id).toBe(id)
    await expect(verify({ apiKeys: ['AIza-something'] })).rejects.toMatchObject({
      code: 'missing_credentials',
    })
  })
})

describe('several credentials', () => {
  it('of one user are as good as the first', async () => {
    const owner = await guest()
    const one = await keyOf(owner)
    const other = await keyOf(owner)
    const { actor, cacheKeys } = await verify({ bearer: owner.token, apiKeys: [one.key, other.key] })
    expect(actor).toMatchObject({ id: owner.id, method: 'jwt' })
    expect(cacheKeys).toEqual(
      expect.arrayContaining([`key:${one.apiKey.id}`, `key:${other.apiKey.id}`, `user:${owner.id}`]),
    )
  })

  it('of two users, or with a bad one among them, conflict', async () => {
    const [one, other] = [await guest(), await guest()]
    const conflict = { code: 'conflicting_credentials', status: 401 }
    const { key } = await keyOf(other)
    await expect(verify({ bearer: one.token, apiKeys: [key] })).rejects.toMatchObject(conflict)
    await expect(verify({ apiKeys: [key, (await keyOf(one)).key] })).rejects.toMatchObject(conflict)
    await expect(
      verify({ bearer: other.token, apiKeys: [`sk_live_${'0'.repeat(48)}`] }),
    ).rejects.toMatchObject(conflict)
    await expect(verify({ bearer: 'nonsense', apiKeys: [key] })).rejects.toMatchObject(conflict)
  })
})

describe('trouble with the database', () => {
  it('is not taken for a bad credential', async () => {
    const owner = await guest()
    const { key } = await keyOf(owner)
    const { pool } = test.services.database
    await pool.query('alter table accounts.user_account rename to user_account_away')
    try {
      for (const bearer of [owner.token, key]) {
        await expect(verify({ bearer })).rejects.toMatchObject({ code: 'internal', status: 500 })
      }
      await expect(verify({ bearer: owner.token, apiKeys: [key] })).rejects.toMatchObject({
        code: 'internal',
      })
    } finally {
      await pool.query('alter table accounts.user_account_away rename to user_account')
    }
  })
})
