import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Graph } from '../../platform/graph.ts'
import { noMetrics } from '../../platform/metrics/metrics.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { type CredentialAuthenticator, createAuthenticator, identityHeaders } from './authenticate.ts'

let test: TestGraph
let authenticator: CredentialAuthenticator
let asked: number
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())
beforeEach(() => {
  asked = 0
  const { trusted } = test.graph
  const graph: Graph = {
    execute(operation, variables, context) {
      asked += 1
      return trusted.execute(operation, variables, context)
    },
    subscribe: (operation, variables, context) => trusted.subscribe(operation, variables, context),
  }
  const { notifications, log } = test.services
  authenticator = createAuthenticator({ graph, notifications, log, metrics: noMetrics })
})
afterEach(() => authenticator.close())

const authenticate = (headers: Record<string, string>) =>
  authenticator.authenticate(headers, test.contextFor(null))

const mutate = async (text: string, variables = {}, actor: Parameters<TestGraph['contextFor']>[0] = null) => {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables,
    context: test.contextFor(actor),
  })
  expect(errors).toBeUndefined()
  return data as Record<
    'guestLogin' | 'createApiKey',
    { accessToken: string; user: { id: string }; key: string; apiKey: { id: string } }
  >
}
const guest = async () => (await mutate('mutation { guestLogin { accessToken user { id } } }')).guestLogin
const keyOf = async (token: string) => {
  const actor = await authenticate({ authorization: `Bearer ${token}` })
  const text = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }'
  return { actor, ...(await mutate(text, { input: { name: 'a key' } }, actor)).createApiKey }
}

describe('authentication', () => {
  it('finds nobody behind a request without credentials', async () => {
    expect(await authenticate({})).toBeNull()
    expect(
      await authenticate({ authorization: 'Basic dXNlcjpwYXNz', 'x-api-key': 'of another system' }),
    ).toBeNull()
    expect(asked).toBe(0)
  })

  it('accepts every documented spelling', async () => {
    const { accessToken, user } = await guest()
    const { key } = await keyOf(accessToken)
    const spellings: Record<string, string>[] = [
      { authorization: `Bearer ${accessToken}` },
      { authorization: `bearer   ${accessToken} ` },
      { authorization: `Bearer ${key}` },
      { 'x-api-key': key },
      { apikey: key },
      { 'x-api-key': key, apikey: key },
      { authorization: `Bearer ${accessToken}`, 'x-api-key': key },
      { authorization: `Bearer ${key}`, 'x-api-key': key },
    ]
    for (const headers of spellings) expect(await authenticate(headers)).toMatchObject({ id: user.id })
  })

  it('refuses an empty bearer, forged tokens and conflicts', async () => {
    await expect(authenticate({ authorization: 'Bearer ' })).rejects.toMatchObject({ code: 'invalid_token' })
    await expect(authenticate({ authorization: 'Bearer a.b.c' })).rejects.toMatchObject({
      code: 'invalid_token',
    })
    const [one, other] = [await keyOf((await guest()).accessToken), await keyOf((await guest()).accessToken)]
    const conflict = { code: 'conflicting_credentials' }
    await expect(authenticate({ 'x-api-key': one.key, apikey: other.key })).rejects.toMatchObject(conflict)
    await expect(
      authenticate({ authorization: `Bearer ${one.key}`, apikey: other.key }),
    ).rejects.toMatchObject(conflict)
  })

  it('asks the graph once for a credential that comes often, at once or one after the other', async () => {
    const { accessToken } = await guest()
    const headers = { authorization: `Bearer ${accessToken}` }
    // on a busy machine the link may have been lost for a moment: nothing is remembered meanwhile
    while (!test.services.notifications.connected) await sleep(50)
    await Promise.all(Array.from({ length: 20 }, () => authenticate(headers)))
    await authenticate(headers)
    expect(asked).toBe(1)
  })

  it('goes on for those who wait when the one who asked first leaves', async () => {
    const { accessToken, user } = await guest()
    const leaving = new AbortController()
    const headers = { authorization: `Bearer ${accessToken}` }
    const first = authenticator.authenticate(headers, test.contextFor(null, leaving.signal))
    const second = authenticate(headers)
    leaving.abort()
    expect((await second)?.id).toBe(user.id)
    await first
  })

  it('knows of a revocation as soon as that is answered', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { key, apiKey, actor } = await keyOf((await guest()).accessToken)
      await authenticate({ apikey: key })
      await mutate('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id: apiKey.id }, actor)
      await expect(authenticate({ apikey: key })).rejects.toMatchObject({ code: 'invalid_api_key' })

      const { accessToken } = await guest()
      await authenticate({ authorization: `Bearer ${accessToken}` })
      await mutate('mutation ($input: LogoutInput!) { logout(input: $input) { loggedOut } }', {
        input: { token: accessToken },
      })
      await expect(authenticate({ authorization: `Bearer ${accessToken}` })).rejects.toMatchObject({
        code: 'token_revoked',
      })
    }
  })

  it('knows of an upgrade as soon as that is answered', async () => {
    const { accessToken, user } = await guest()
    const actor = await authenticate({ authorization: `Bearer ${accessToken}` })
    const input = { email: `${user.id}@example.org` }
    await mutate(
      'mutation ($input: UpgradeGuestInput!) { upgradeGuest(input: $input) { id } }',
      { input },
      actor,
    )
    expect(await authenticate({ authorization: `Bearer ${accessToken}` })).toMatchObject({
      isGuest: false,
      roles: ['user'],
    })
  })

  it('remembers nothing while no revocation could reach it', async () => {
    const { notifications, database } = test.services
    const { accessToken } = await guest()
    const headers = { authorization: `Bearer ${accessToken}` }
    await authenticate(headers)
    const change = () =>
      new Promise<boolean>((resolve) => {
        const unwatch = notifications.onChange((connected) => {
          unwatch()
          resolve(connected)
        })
      })
    const down = change()
    await database.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'jan-notifications' and datname = current_database()",
    )
    expect(await down).toBe(false)
    const up = change()
    await authenticate(headers)
    await authenticate(headers)
    expect(asked).toBe(3)
    await mutate('mutation ($input: LogoutInput!) { logout(input: $input) { loggedOut } }', {
      input: { token: accessToken },
    })
    await expect(authenticate(headers)).rejects.toMatchObject({ code: 'token_revoked' })
    expect(await up).toBe(true)
    const other = { authorization: `Bearer ${(await guest()).accessToken}` }
    await authenticate(other)
    await authenticate(other)
    expect(asked).toBe(5)
  })

  it('does not remember refusals', async () => {
    const headers = { apikey: `sk_live_${'0'.repeat(48)}` }
    for (const expected of [1, 2]) {
      await expect(authenticate(headers)).rejects.toMatchObject({ code: 'invalid_api_key', status: 401 })
      expect(asked).toBe(expected)
    }
  })

  it('answers 503, never 401, when the credential can’t be checked', async () => {
    const { accessToken } = await guest()
    const { pool } = test.services.database
    await pool.query('alter table accounts.user_account rename to user_account_away')
    try {
      await expect(authenticate({ authorization: `Bearer ${accessToken}` })).rejects.toMatchObject({
        code: 'service_unavailable',
        status: 503,
      })
    } finally {
      await pool.query('alter table accounts.user_account_away rename to user_account')
    }
    expect(await authenticate({ authorization: `Bearer ${accessToken}` })).not.toBeNull()
  })
})

describe('identity headers', () => {
  it('tell who the caller is taken for', () => {
    const actor = someActor({
      method: 'api_key',
      scopes: ['read', 'write'],
      username: 'ada',
      email: 'ada@example.org',
    })
    expect(Object.fromEntries(identityHeaders(actor))).toEqual({
      'X-Auth-Method': 'api_key',
      'X-Principal-Id': actor.id,
      'X-User-ID': actor.id,
      'X-User-Subject': actor.subject,
      'X-User-Username': 'ada',
      'X-User-Email': 'ada@example.org',
      'X-Scopes': 'read write',
    })
  })

  it('can be sent whatever the name is, and are left out when unknown', () => {
    const actor = someActor({ username: 'Ада 100%\r\nX-Evil: 1 \ud800', email: null, scopes: [] })
    const headers = Object.fromEntries(identityHeaders(actor))
    expect(headers).not.toHaveProperty('X-User-Email')
    expect(headers).not.toHaveProperty('X-Scopes')
    expect(headers['X-User-Username']).toMatch(/^[\x20-\x7e]+$/)
    expect(decodeURIComponent(headers['X-User-Username'] ?? '')).toBe('Ада 100%\r\nX-Evil: 1 \ufffd')
    expect(() => new Headers(headers)).not.toThrow()
  })
})
