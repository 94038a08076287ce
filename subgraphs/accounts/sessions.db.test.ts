import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { decodeJwt } from 'jose'
import { startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { ApiKey, SigningKey, User } from './entities.ts'
import { sessionSource } from './sources/sessions.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

/** Statements of accounts since it was last asked: background work of others does not count. */
const takeOwnStatements = () => test.takeStatements().filter((sql) => sql.includes('accounts.'))

interface Tokens {
  accessToken: string
  refreshToken: string
  expiresIn: number
  user: { id: string; username: string; email: string; roles: string[]; isGuest: boolean }
}

const ask = async (text: string, variables = {}, actor: Parameters<TestGraph['contextFor']>[0] = null) => {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables,
    context: test.contextFor(actor),
  })
  return {
    data: data as Record<
      'guestLogin' | 'refreshSession' | 'revokeToken' | 'logout' | 'upgradeGuest' | 'me',
      never
    >,
    code: errors?.[0]?.extensions.code,
    param: errors?.[0]?.extensions.param,
  }
}

const guest = async (): Promise<Tokens> =>
  (
    await ask(
      'mutation { guestLogin { accessToken refreshToken expiresIn user { id username email roles isGuest } } }',
    )
  ).data.guestLogin

const refresh = (refreshToken: string) =>
  ask(
    'mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken refreshToken } }',
    {
      input: { refreshToken },
    },
  )

const revoke = (token: string) =>
  ask('mutation ($input: RevokeTokenInput!) { revokeToken(input: $input) { revoked } }', { input: { token } })

const logout = (token: string | null) =>
  ask('mutation ($input: LogoutInput!) { logout(input: $input) { loggedOut } }', { input: { token } })

const upgrade = (input: object, actor: Parameters<TestGraph['contextFor']>[0]) =>
  ask(
    'mutation ($input: UpgradeGuestInput!) { upgradeGuest(input: $input) { email emailVerified isGuest roles name } }',
    { input },
    actor,
  )

const verify = async (bearer: string) => {
  const document = parse(
    'query ($input: VerifyCredentialsInput!) { verifyCredentials(input: $input) { actor { id subject method roles scopes username email featureFlags isGuest isAdmin } cacheKeys } }',
  )
  const { verifyCredentials } = (await test.graph.trusted.execute(
    document,
    { input: { bearer } },
    test.contextFor(null),
  )) as {
    verifyCredentials: { actor: NonNullable<Parameters<TestGraph['contextFor']>[0]>; cacheKeys: string[] }
  }
  return verifyCredentials
}

describe('guest login', () => {
  it('makes a guest whose token carries the documented claims and speaks for it', async () => {
    const { accessToken, expiresIn, user } = await guest()
    expect(expiresIn).toBe(300)
    expect(user).toMatchObject({ roles: ['GUEST'], isGuest: true })
    expect(user.username).toMatch(/^guest-[0-9a-f-]{36}$/)
    expect(user.email).toBe(`${user.username}@temp.jan.ai`)
    const claims = decodeJwt(accessToken)
    expect(claims).toMatchObject({
      iss: 'http://localhost:8000',
      aud: 'account',
      sub: user.id,
      pid: user.id,
      preferred_username: user.username,
      email: user.email,
      realm_access: { roles: ['guest'] },
      groups: ['guest'],
      feature_flags: [],
      guest: true,
    })
    expect(Number(claims.exp) - Number(claims.iat)).toBe(300)
    const { actor } = await verify(accessToken)
    expect(actor).toMatchObject({
      id: user.id,
      method: 'jwt',
      roles: ['guest'],
      isGuest: true,
      isAdmin: false,
    })
    expect((await ask('{ me { id } }', {}, actor)).data.me).toEqual({ id: user.id })
  })

  it('takes one statement, and so does verifying its token', async () => {
    await guest()
    takeOwnStatements()
    const { accessToken } = await guest()
    expect(takeOwnStatements()).toHaveLength(1)
    await verify(accessToken)
    expect(takeOwnStatements()).toHaveLength(1)
  })

  it('stores no refresh token in clear', async () => {
    const { refreshToken } = await guest()
    const { rows } = await test.services.database.pool.query(
      "select encode(token_hash, 'hex') as hash from accounts.refresh_token",
    )
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(refreshToken).toString('hex'))
  })
})

describe('refresh', () => {
  it('gives new tokens of the same user, each time with another refresh token', async () => {
    const first = await guest()
    takeOwnStatements()
    const second = (await refresh(first.refreshToken)).data.refreshSession as Tokens
    expect(takeOwnStatements()).toHaveLength(1)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(decodeJwt(second.accessToken).sub).toBe(first.user.id)
    expect((await refresh(second.refreshToken)).code).toBeUndefined()
  })

  it('ends the whole session when a token is used again: its successor and its access tokens with it', async () => {
    const first = await guest()
    const second = (await refresh(first.refreshToken)).data.refreshSession as Tokens
    expect((await refresh(first.refreshToken)).code).toBe('token_revoked')
    expect((await refresh(second.refreshToken)).code).toBe('token_revoked')
    await expect(verify(first.accessToken)).rejects.toMatchObject({ code: 'token_revoked' })
    await expect(verify(second.accessToken)).rejects.toMatchObject({ code: 'token_revoked' })
  })

  it('lets exactly one of many at the same time through, and ends the session', async () => {
    const { refreshToken } = await guest()
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)))
    const winners = outcomes.filter(({ code }) => code === undefined)
    expect(winners).toHaveLength(1)
    expect(outcomes.filter(({ code }) => code === 'token_revoked')).toHaveLength(7)
    const { refreshToken: next } = winners[0]!.data.refreshSession as Tokens
    expect((await refresh(next)).code).toBe('token_revoked')
  })

  it('tells unknown, expired and locked out apart', async () => {
    expect((await refresh('jrt_nobody')).code).toBe('invalid_token')
    expect((await refresh('\u0000')).code).toBe('invalid_token')
    const expired = await guest()
    await test.services.database.pool.query(
      "update accounts.refresh_token t set expires_at = now() - interval '1 s' from accounts.session s where s.id = t.session_id and s.user_id = $1",
      [expired.user.id],
    )
    expect((await refresh(expired.refreshToken)).code).toBe('token_expired')
    const disabled = await guest()
    await test.services.database.pool.query(
      'update accounts.user_account set disabled_at = now() where id = $1',
      [disabled.user.id],
    )
    expect((await refresh(disabled.refreshToken)).code).toBe('token_revoked')
    await expect(verify(disabled.accessToken)).rejects.toMatchObject({ code: 'invalid_token' })
  })
})

describe('revocation', () => {
  it('ends an access token alone', async () => {
    const { accessToken, refreshToken } = await guest()
    expect((await revoke(accessToken)).data.revokeToken).toEqual({ revoked: true })
    await expect(verify(accessToken)).rejects.toMatchObject({ code: 'token_revoked' })
    expect((await refresh(refreshToken)).code).toBeUndefined()
  })

  it('ends a session by its refresh token', async () => {
    const { accessToken, refreshToken } = await guest()
    await revoke(refreshToken)
    await expect(verify(accessToken)).rejects.toMatchObject({ code: 'token_revoked' })
    expect((await refresh(refreshToken)).code).toBe('token_revoked')
  })

  it('is content with tokens that nobody knows', async () => {
    for (const token of ['jrt_unknown', 'a.b.c', 'nonsense', '']) {
      expect((await revoke(token)).data.revokeToken).toEqual({ revoked: true })
    }
  })

  it('is heard by everybody before it is answered', async () => {
    const { accessToken } = await guest()
    const { cacheKeys } = await verify(accessToken)
    const heard: string[] = []
    const unfollow = test.services.notifications.follow('accounts_revoked', (key) => heard.push(key))
    await revoke(accessToken)
    expect(cacheKeys).toEqual(expect.arrayContaining(heard))
    expect(heard).toHaveLength(1)
    await logout(accessToken)
    unfollow()
  })

  it('logs out by the refresh token, by the access token, and with neither', async () => {
    for (const name of ['refreshToken', 'accessToken'] as const) {
      const tokens = await guest()
      expect((await logout(tokens[name])).data.logout).toEqual({ loggedOut: true })
      expect((await refresh(tokens.refreshToken)).code).toBe('token_revoked')
      await expect(verify(tokens.accessToken)).rejects.toMatchObject({ code: 'token_revoked' })
    }
    expect((await logout(null)).data.logout).toEqual({ loggedOut: true })
    expect((await logout('jrt_unknown')).data.logout).toEqual({ loggedOut: true })
  })
})

describe('the sweep', () => {
  it('removes what ended long ago, and nothing else', async () => {
    const { pool } = test.services.database
    const database = await test.services.database.attach({
      name: 'accounts',
      entities: [User, ApiKey, SigningKey],
      migrations: [],
    })
    const [old, kept] = [await guest(), await guest()]
    await revoke(kept.accessToken)
    const past = "now() - interval '2 d'"
    await pool.query(`update accounts.session set expires_at = ${past} where user_id = $1`, [old.user.id])
    await pool.query(`insert into accounts.revoked_token (token_key, expires_at) values ('old', ${past})`)
    await sessionSource(database).sweep()
    expect((await refresh(old.refreshToken)).code).toBe('invalid_token')
    expect((await pool.query("select from accounts.revoked_token where token_key = 'old'")).rowCount).toBe(0)
    await expect(verify(kept.accessToken)).rejects.toMatchObject({ code: 'token_revoked' })
    expect((await refresh(kept.refreshToken)).code).toBeUndefined()
  })
})

describe('upgrading a guest', () => {
  it('makes it a user with a verified address, whose old token speaks for the user at once', async () => {
    const { accessToken, user } = await guest()
    const { actor } = await verify(accessToken)
    const email = `${user.id}@example.org`
    const { data } = await upgrade({ email, name: 'Ada' }, actor)
    expect(data.upgradeGuest).toEqual({
      email,
      emailVerified: true,
      isGuest: false,
      roles: ['USER'],
      name: 'Ada',
    })
    expect((await verify(accessToken)).actor).toMatchObject({
      id: user.id,
      email,
      roles: ['user'],
      isGuest: false,
    })
    expect((await upgrade({ email: `again-${email}` }, actor)).code).toBe('permission_denied')
  })

  it('refuses an address that another user has, however it is written, and however many try at once', async () => {
    const actors = await Promise.all(
      Array.from({ length: 4 }, async () => (await verify((await guest()).accessToken)).actor),
    )
    const email = `${actors[0]!.id}@example.org`
    const outcomes = await Promise.all(
      actors.map((actor, at) => upgrade({ email: at % 2 ? email.toUpperCase() : email }, actor)),
    )
    expect(outcomes.filter(({ code }) => code === undefined)).toHaveLength(1)
    const refused = outcomes.filter(({ code }) => code !== undefined)
    expect(refused).toHaveLength(3)
    for (const { code, param } of refused)
      expect({ code, param }).toEqual({ code: 'already_exists', param: 'email' })
  })

  it.each([
    '',
    'nobody',
    'a@b',
    'a b@example.org',
    'a@example..org',
    `a\u0000@example.org`,
    `${'a'.repeat(300)}@example.org`,
  ])('refuses the address %j', async (email) => {
    const { actor } = await verify((await guest()).accessToken)
    const { code, param } = await upgrade({ email }, actor)
    expect(['invalid_parameter', 'missing_parameter']).toContain(code)
    expect(param).toBe('email')
  })

  it('needs a token: an API key will not do', async () => {
    const { actor } = await verify((await guest()).accessToken)
    expect((await upgrade({ email: 'key@example.org' }, { ...actor, method: 'api_key' })).code).toBe(
      'permission_denied',
    )
    expect((await upgrade({ email: 'key@example.org' }, null)).code).toBe('missing_credentials')
  })
})

describe('usage', () => {
  const record = (changes = {}) => ({
    id: 'chatcmpl-1',
    userId: '7f1d2c9e-0000-4000-8000-000000000001',
    model: 'jan-v1-4b',
    provider: 'development',
    conversationId: null,
    promptTokens: 3,
    completionTokens: 4,
    totalTokens: 7,
    estimated: true,
    durationMs: 12,
    timeToFirstTokenMs: null,
    status: 'completed',
    stream: false,
    ...changes,
  })
  const store = (records: object[]) =>
    test.graph.trusted.execute(
      parse('mutation ($records: [UsageRecordInput!]!) { recordUsage(records: $records) }'),
      { records },
      test.contextFor(null),
    )

  it('is stored in one statement, once for each completion', async () => {
    takeOwnStatements()
    const records = [
      record(),
      record({ id: 'chatcmpl-2', createdAt: '2026-01-31T12:00:00.000Z', conversationId: 'conv_1' }),
    ]
    expect(await store(records)).toEqual({ recordUsage: 2 })
    expect(takeOwnStatements()).toHaveLength(1)
    expect(
      await store([record({ totalTokens: 99 }), record({ id: 'chatcmpl-3', status: 'aborted' })]),
    ).toEqual({ recordUsage: 1 })
    const { rows } = await test.services.database.pool.query(
      'select id, total_tokens, status from accounts.usage_record order by id',
    )
    expect(rows).toEqual([
      { id: 'chatcmpl-1', total_tokens: 7, status: 'completed' },
      { id: 'chatcmpl-2', total_tokens: 7, status: 'completed' },
      { id: 'chatcmpl-3', total_tokens: 7, status: 'aborted' },
    ])
  })

  it('can’t be reached by clients', async () => {
    const { code } = await ask('mutation { recordUsage(records: []) }')
    expect(code).toBe('GRAPHQL_VALIDATION_FAILED')
    expect((await ask('query { verifyCredentials(input: {}) { expiresAt } }')).code).toBe(
      'GRAPHQL_VALIDATION_FAILED',
    )
  })
})
