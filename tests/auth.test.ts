import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { accountRoutes } from '../rest-adapter/routes/account.ts'
import { apiKeyRoutes } from '../rest-adapter/routes/api-keys.ts'
import { authRoutes } from '../rest-adapter/routes/auth.ts'
import { wellKnownRoutes } from '../rest-adapter/routes/well-known.ts'
import { type Answer, clientOf, guest, send } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
}, 60_000)
afterAll(() => server.stop())

const request = (method: string, path: string, headers: Record<string, string> = {}, json?: unknown) =>
  send(`${server.url}${path}`, { method, headers, ...(json === undefined ? {} : { json }) })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

interface Login {
  access_token: string
  refresh_token: string
  user_id: string
  username: string
}
const login = async (path = '/auth/guest-login'): Promise<Login> =>
  (await request('POST', path)).json<Login>()

/** Holds an answer against what its route declares. */
function expectDeclared(answer: Answer, method: string, path: string): void {
  const declared = [...authRoutes, ...accountRoutes, ...apiKeyRoutes, ...wellKnownRoutes].find(
    (route) => route.method === method && route.path === path,
  )
  expect(declared?.status).toBe(answer.status)
  declared?.response?.parse(answer.json())
}

function expectError(answer: Answer, status: number, code: string, param: string | null = null): void {
  const { error } = answer.json<{ error: { code: string; param: string | null } }>()
  expect({ status: answer.status, code: error.code, param: error.param }).toEqual({ status, code, param })
}

describe('guest login', () => {
  it('answers 201 with exactly the documented fields, under every spelling of the path', async () => {
    for (const path of ['/auth/guest-login', '/llm/auth/guest-login', '/v1/auth/guest-login']) {
      const answer = await request('POST', path)
      expectDeclared(answer, 'post', '/auth/guest-login')
      const body = answer.json<Login>()
      expect(Object.keys(body).sort()).toEqual([
        'access_token',
        'expires_in',
        'principal_id',
        'refresh_token',
        'token_type',
        'user_id',
        'username',
      ])
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300, principal_id: body.user_id })
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('takes an empty object, and is not kept from work by a stale token', async () => {
    expect((await request('POST', '/auth/guest-login', {}, {})).status).toBe(201)
    expect((await request('POST', '/auth/guest-login', bearer('stale'))).status).toBe(201)
  })
})

describe('refreshing', () => {
  it('rotates, whichever way the token is sent', async () => {
    let { refresh_token } = await login()
    const ways: ((token: string) => Promise<Answer>)[] = [
      (token) => request('POST', '/auth/refresh', {}, { refresh_token: token }),
      (token) => request('POST', '/llm/auth/refresh-token', {}, { refresh_token: token }),
      (token) => request('POST', '/v1/auth/refresh-token', { cookie: `a=b; refresh_token=${token}` }),
      (token) => request('POST', '/auth/refresh', bearer(token)),
    ]
    for (const way of ways) {
      const answer = await way(refresh_token)
      expectDeclared(answer, 'post', '/auth/refresh')
      expect(answer.headers.get('cache-control')).toBe('no-store')
      const body = answer.json<Login & { expires_at: string }>()
      expect(body.refresh_token).not.toBe(refresh_token)
      expect(Date.parse(body.expires_at)).toBeGreaterThan(Date.now())
      expect((await request('GET', '/auth/me', bearer(body.access_token))).status).toBe(200)
      ;({ refresh_token } = body)
    }
  })

  it('refuses what is missing, unknown and used twice', async () => {
    expectError(await request('POST', '/auth/refresh'), 400, 'missing_parameter', 'refresh_token')
    expectError(
      await request('POST', '/auth/refresh', {}, { refresh_token: '' }),
      400,
      'missing_parameter',
      'refresh_token',
    )
    expectError(
      await request('POST', '/auth/refresh', {}, { refresh_token: 7 }),
      400,
      'invalid_parameter',
      'refresh_token',
    )
    expectError(await request('POST', '/auth/refresh', {}, { refresh_token: 'nobody' }), 401, 'invalid_token')
    const { refresh_token, access_token } = await login()
    const next = (await request('POST', '/auth/refresh', {}, { refresh_token })).json<Login>()
    expectError(await request('POST', '/auth/refresh', {}, { refresh_token }), 401, 'token_revoked')
    expectError(
      await request('POST', '/auth/refresh', {}, { refresh_token: next.refresh_token }),
      401,
      'token_revoked',
    )
    expectError(await request('GET', '/auth/me', bearer(access_token)), 401, 'token_revoked')
  })
})

describe('revoking and logging out', () => {
  it('ends access tokens and sessions at once', async () => {
    const one = await login()
    expect((await request('GET', '/auth/me', bearer(one.access_token))).status).toBe(200)
    const revoked = await request('POST', '/llm/auth/revoke', bearer(one.access_token), {
      token: one.access_token,
    })
    expectDeclared(revoked, 'post', '/auth/revoke')
    expect(revoked.json()).toMatchObject({ revoked: true })
    expectError(await request('GET', '/auth/me', bearer(one.access_token)), 401, 'token_revoked')

    const other = await login()
    await request('GET', '/auth/me', bearer(other.access_token))
    await request(
      'POST',
      '/auth/revoke',
      {},
      { refresh_token: other.refresh_token, token_type_hint: 'refresh_token' },
    )
    expectError(await request('GET', '/auth/me', bearer(other.access_token)), 401, 'token_revoked')
  })

  it('is content with unknown tokens, not with none', async () => {
    expect((await request('POST', '/auth/revoke', {}, { token: 'nobody' })).json()).toMatchObject({
      revoked: true,
    })
    expectError(await request('POST', '/auth/revoke', {}, {}), 400, 'missing_parameter', 'token')
    expectError(await request('POST', '/auth/revoke'), 400, 'missing_parameter', 'token')
  })

  it('logs out by cookie, body or bearer, by GET or POST, and clears the cookie in any case', async () => {
    const ways: ((tokens: Login) => Promise<Answer>)[] = [
      ({ refresh_token }) => request('POST', '/auth/logout', { cookie: `refresh_token=${refresh_token}` }),
      ({ refresh_token }) => request('POST', '/v1/auth/logout', {}, { refresh_token }),
      ({ refresh_token }) => request('GET', '/llm/auth/logout', bearer(refresh_token)),
      ({ access_token }) => request('POST', '/auth/logout', bearer(access_token)),
    ]
    for (const way of ways) {
      const tokens = await login()
      const answer = await way(tokens)
      expect(answer.json()).toEqual({ status: 'logged out' })
      expect(answer.headers.get('set-cookie')).toMatch(
        /^refresh_token=; Path=\/; .*HttpOnly; Secure; SameSite=None$/,
      )
      expectError(await request('GET', '/auth/me', bearer(tokens.access_token)), 401, 'token_revoked')
    }
    expect((await request('POST', '/auth/logout')).json()).toEqual({ status: 'logged out' })
  })
})

describe('me', () => {
  it('tells who one is, twice in one body and in the headers', async () => {
    const { access_token, user_id, username } = await login()
    for (const path of ['/auth/me', '/llm/auth/me', '/v1/auth/me', '/v1/users/me']) {
      const answer = await request('GET', path, bearer(access_token))
      expectDeclared(answer, 'get', '/auth/me')
      const me = {
        id: user_id,
        username,
        email: `${username}@temp.jan.ai`,
        subject: user_id,
        auth_method: 'jwt',
        name: username,
        roles: ['guest'],
        is_admin: false,
      }
      expect(answer.json()).toMatchObject({ ...me, data: me })
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-auth-method': 'jwt',
        'x-user-id': user_id,
        'x-principal-id': user_id,
        'x-user-username': username,
      })
    }
  })

  it('knows the first administrator by the key of the environment', async () => {
    const answer = await request('GET', '/auth/me', { 'x-api-key': server.adminKey })
    expect(answer.json()).toMatchObject({ username: 'admin', is_admin: true, auth_method: 'api_key' })
    expect(answer.headers.get('x-auth-method')).toBe('api_key')
  })

  it('asks for a credential, and does not believe identity headers from outside', async () => {
    expectError(await request('GET', '/auth/me'), 401, 'missing_credentials')
    const { user_id, access_token } = await login()
    expectError(
      await request('GET', '/auth/me', { 'x-user-id': user_id, 'x-auth-method': 'jwt' }),
      401,
      'missing_credentials',
    )
    const other = await login()
    const answer = await request('GET', '/auth/me', { ...bearer(access_token), 'x-user-id': other.user_id })
    expect(answer.json()).toMatchObject({ id: user_id })
  })
})

describe('upgrading', () => {
  it('makes a guest a user who keeps everything', async () => {
    const client = await guest(server)
    const project = (await client.post('/v1/projects', { name: 'mine' })).json<{ id: string }>()
    const email = `${project.id}@example.org`
    const answer = await client.post('/auth/upgrade', { email, username: 'ada', full_name: 'Ada Lovelace' })
    expectDeclared(answer, 'post', '/auth/upgrade')
    expect((await client.get('/auth/me')).json()).toMatchObject({
      email,
      username: 'ada',
      name: 'Ada Lovelace',
      roles: ['user'],
    })
    expect((await client.get(`/v1/projects/${project.id}`)).status).toBe(200)
    const second = await guest(server)
    expectError(await second.post('/auth/upgrade', { email }), 409, 'already_exists', 'email')
    expectError(await second.post('/auth/upgrade', { email: 'nobody' }), 400, 'invalid_parameter', 'email')
    expectError(await second.post('/auth/upgrade', {}), 400, 'missing_parameter', 'email')
    expectError(await request('POST', '/auth/upgrade', {}, { email }), 401, 'missing_credentials')
    expectError(await client.post('/auth/upgrade', { email: `two-${email}` }), 403, 'permission_denied')
  })
})

interface Key {
  id: string
  key: string
}

describe('API keys', () => {
  it('are made, used as key and as bearer, listed without their secret, and revoked at once', async () => {
    const owner = await guest(server)
    const made = await owner.post('/v1/auth/api-keys', {
      name: 'Laptop',
      expires_in_days: 30,
      scopes: ['read'],
    })
    expectDeclared(made, 'post', '/auth/api-keys')
    expect(made.headers.get('cache-control')).toBe('no-store')
    const { id, key } = made.json<Key>()
    expect(made.json()).toMatchObject({
      prefix: 'sk_live',
      suffix: key.slice(-4),
      status: 'active',
      is_active: true,
      data: { id, key },
    })

    const spellings: Record<string, string>[] = [
      bearer(key),
      { 'x-api-key': key },
      { apikey: key },
      { ...owner.headers, 'x-api-key': key },
    ]
    for (const headers of spellings) {
      expect((await request('GET', '/auth/me', headers)).status).toBe(200)
    }
    const listed = await clientOf(server, key).get('/llm/auth/api-keys')
    expectDeclared(listed, 'get', '/auth/api-keys')
    const { items, data } = listed.json<{ items: object[]; data: object[] }>()
    expect(items).toEqual(data)
    expect(items[0]).toMatchObject({ id, name: 'Laptop', scopes: ['read'], last_used_at: expect.any(String) })
    expect(listed.text).not.toContain(key)

    const revoked = await owner.delete(`/auth/api-keys/${id}`)
    expect({ status: revoked.status, text: revoked.text }).toEqual({ status: 204, text: '' })
    expectError(await request('GET', '/auth/me', { 'x-api-key': key }), 401, 'invalid_api_key')
    expect((await owner.get('/auth/api-keys')).json<{ items: object[] }>().items[0]).toMatchObject({
      status: 'revoked',
      is_active: false,
      revoked_at: expect.any(String),
    })
  })

  it('live as long as is allowed at most: asking for more, or in nanoseconds, is no error', async () => {
    const owner = await guest(server)
    for (const asked of [{ expires_in_days: 365 }, { expires_in: 7_776_000_000_000_000 }]) {
      const { expires_at } = (await owner.post('/auth/api-keys', { name: 'long', ...asked })).json<{
        expires_at: string
      }>()
      expect(Math.round((Date.parse(expires_at) - Date.now()) / 86_400_000)).toBe(90)
    }
  })

  it('are refused with the field that is wrong, and beyond the limit', async () => {
    const owner = await guest(server)
    expectError(await owner.post('/auth/api-keys', {}), 400, 'missing_parameter', 'name')
    expectError(await owner.post('/auth/api-keys', { name: ' ' }), 400, 'invalid_parameter', 'name')
    expectError(await owner.post('/auth/api-keys', { name: 'a\u0000b' }), 400, 'invalid_parameter', 'name')
    expectError(
      await owner.post('/auth/api-keys', { name: 'a', expires_in_days: 1.5 }),
      400,
      'invalid_parameter',
      'expires_in_days',
    )
    expectError(
      await owner.post('/auth/api-keys', { name: 'a', expires_in_days: 0 }),
      400,
      'invalid_parameter',
      'expires_in_days',
    )
    expectError(
      await owner.post('/auth/api-keys', { name: 'a', scopes: 'read' }),
      400,
      'invalid_parameter',
      'scopes',
    )
    for (let made = 0; made < 5; made += 1)
      expect((await owner.post('/auth/api-keys', { name: 'a' })).status).toBe(201)
    expectError(await owner.post('/auth/api-keys', { name: 'a' }), 400, 'api_key_limit_reached')
  })

  it('of others can’t be told from those that do not exist', async () => {
    const { id } = (await (await guest(server)).post('/auth/api-keys', { name: 'a' })).json<Key>()
    const stranger = await guest(server)
    expectError(await stranger.delete(`/auth/api-keys/${id}`), 404, 'not_found')
    expectError(
      await stranger.delete('/auth/api-keys/7f1d2c9e-0000-4000-8000-000000000001'),
      404,
      'not_found',
    )
    expectError(await stranger.delete('/auth/api-keys/nonsense'), 400, 'invalid_id', 'id')
  })

  it('beside a token of another user conflict', async () => {
    const { key } = (await (await guest(server)).post('/auth/api-keys', { name: 'a' })).json<Key>()
    const other = await guest(server)
    expectError(
      await request('GET', '/auth/me', { ...other.headers, 'x-api-key': key }),
      401,
      'conflicting_credentials',
    )
  })
})

describe('discovery', () => {
  it('lets anybody verify the tokens', async () => {
    const metadata = await request('GET', '/.well-known/openid-configuration')
    expectDeclared(metadata, 'get', '/.well-known/openid-configuration')
    expectDeclared(await request('GET', '/.well-known/jwks.json'), 'get', '/.well-known/jwks.json')
    const { issuer, jwks_uri } = metadata.json<{ issuer: string; jwks_uri: string }>()
    const { access_token, user_id } = await login()
    const { payload, protectedHeader } = await jwtVerify(
      access_token,
      createRemoteJWKSet(new URL(jwks_uri)),
      {
        issuer,
        audience: 'account',
      },
    )
    expect(issuer).toBe(server.url)
    expect(payload.sub).toBe(user_id)
    expect(protectedHeader.alg).toBe('ES256')
  })
})

describe('a restart', () => {
  it('loses nothing: tokens, keys and revocations stand', async () => {
    const kept = await login()
    const gone = await login()
    const { key } = (
      await clientOf(server, kept.access_token).post('/auth/api-keys', { name: 'a' })
    ).json<Key>()
    await request('POST', '/auth/revoke', {}, { token: gone.access_token })
    await server.kill()
    await server.start()
    expect((await request('GET', '/auth/me', bearer(kept.access_token))).status).toBe(200)
    expect((await request('GET', '/auth/me', bearer(key))).status).toBe(200)
    expect((await request('POST', '/auth/refresh', {}, { refresh_token: kept.refresh_token })).status).toBe(
      200,
    )
    expectError(await request('GET', '/auth/me', bearer(gone.access_token)), 401, 'token_revoked')
  }, 60_000)
})
