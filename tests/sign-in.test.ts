import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { clientOf, send } from './client.ts'
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts'
import { startTestServer, type TestServer } from './server.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

const app = 'https://chat.example.com'
const serviceKey = 'a service key that is long enough for anybody'

let provider: IdentityProvider
let server: TestServer
beforeAll(async () => {
  provider = await startIdentityProvider()
  server = await startTestServer({
    OIDC_DISCOVERY_URL: provider.discoveryUrl,
    OAUTH_ALLOWED_REDIRECTS: app,
    SERVICE_API_KEY: serviceKey,
    LOG_LEVEL: 'info',
  })
}, 60_000)
afterEach(() => {
  provider.fault = null
})
afterAll(async () => {
  await server.stop()
  await provider.close()
})

interface Begun {
  readonly authorization_url: string
  readonly state: string
}

async function begin(redirectUrl = `${app}/signed-in?tab=1`, path = '/auth/login'): Promise<Begun> {
  const answer = await send(`${server.url}${path}?redirect_url=${encodeURIComponent(redirectUrl)}`)
  expect({ status: answer.status, caching: answer.headers.get('cache-control') }).toEqual({
    status: 200,
    caching: 'no-store',
  })
  return answer.json<Begun>()
}

/** Where the browser is sent to. */
async function comeBack(url: string): Promise<URL> {
  const answer = await send(url, { redirect: 'manual' })
  expect({ status: answer.status, referrer: answer.headers.get('referrer-policy') }).toEqual({
    status: 302,
    referrer: 'no-referrer',
  })
  return new URL(answer.headers.get('location') ?? '')
}

async function signIn(): Promise<URLSearchParams> {
  const location = await comeBack(provider.signIn((await begin()).authorization_url))
  expect(`${location.origin}${location.pathname}${location.search}`).toBe(`${app}/signed-in?tab=1`)
  return new URLSearchParams(location.hash.slice(1))
}

function expectFailure(location: URL, error: string, at = `${app}/signed-in`): void {
  expect(`${location.origin}${location.pathname}`).toBe(at)
  expect(location.searchParams.get('error')).toBe(error)
  expect(location.searchParams.get('error_description')).toMatch(/\w/)
  expect(location.hash).toBe('')
}

describe('sign-in at an identity provider', () => {
  it('goes out with PKCE and comes back with tokens that work, in the fragment', async () => {
    const tokens = await signIn()
    expect([...tokens.keys()]).toEqual(['access_token', 'refresh_token', 'expires_in', 'token_type'])
    const me = await clientOf(server, tokens.get('access_token') ?? '').get('/auth/me')
    expect(me.json()).toMatchObject({
      data: { username: 'ada', subject: 'ada-at-provider', auth_method: 'jwt' },
    })
  })

  it('is at every spelling of its paths', async () => {
    for (const path of ['/auth/login', '/llm/auth/login', '/v1/auth/login', '/auth/keycloak/login']) {
      const { authorization_url } = await begin(`${app}/`, path)
      const back = provider
        .signIn(authorization_url)
        .replace('/auth/callback', path.replace('login', 'callback'))
      expect((await comeBack(back)).hash).toMatch(/^#access_token=/)
    }
  })

  it('goes on with the provider’s refresh token, which works once', async () => {
    const tokens = await signIn()
    const refresh = () =>
      send(`${server.url}/auth/refresh`, {
        method: 'POST',
        json: { refresh_token: tokens.get('refresh_token') },
      })
    const renewed = await refresh()
    expect(renewed.status).toBe(200)
    const { access_token, refresh_token } = renewed.json<{ access_token: string; refresh_token: string }>()
    expect(refresh_token).not.toBe(tokens.get('refresh_token'))
    expect((await clientOf(server, access_token).get('/auth/me')).status).toBe(200)
    const again = await refresh()
    expect(again.json()).toMatchObject({ error: { code: 'invalid_token' } })
    expect(again.status).toBe(401)
  })

  it('can be ended once, however many ask at a time', async () => {
    const back = provider.signIn((await begin()).authorization_url)
    const ends = await Promise.all(Array.from({ length: 5 }, () => comeBack(back)))
    expect(ends.filter(({ hash }) => hash !== '')).toHaveLength(1)
    expectFailure(await comeBack(back), 'invalid_state', `${server.url}/`)
  })

  it('is over after ten minutes', async () => {
    const { authorization_url } = await begin()
    await withDatabase((client) =>
      client.query("update accounts.sign_in set expires_at = now() - interval '1 second'"),
    )
    expectFailure(await comeBack(provider.signIn(authorization_url)), 'invalid_state', `${server.url}/`)
  })

  it('keeps neither the state nor the verifier readable, and logs neither code nor token', async () => {
    const { state, authorization_url } = await begin()
    const { rows } = await withDatabase((client) => client.query('select * from accounts.sign_in'))
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(state)
    const back = provider.signIn(authorization_url)
    const { hash } = await comeBack(back)
    const secrets = [
      state,
      new URL(back).searchParams.get('code'),
      new URLSearchParams(hash.slice(1)).get('access_token'),
    ]
    for (const secret of secrets) expect(server.output()).not.toContain(secret)
  })

  it.each([
    ['nothing', '', 'invalid_request'],
    ['a forged state', '?state=forged&code=x', 'invalid_state'],
  ])('with %s sends people home with the reason', async (_, query, error) => {
    expectFailure(await comeBack(`${server.url}/auth/callback${query}`), error, `${server.url}/`)
  })

  it('that the provider refuses says so where it began', async () => {
    const { state } = await begin()
    const location = await comeBack(
      `${server.url}/auth/callback?state=${state}&error=access_denied&error_description=%3Cscript%3E`,
    )
    expectFailure(location, 'access_denied')
    expect(location.href).not.toContain('%3Cscript')
  })

  it('without a code is no sign-in', async () => {
    const { state } = await begin()
    expectFailure(await comeBack(`${server.url}/auth/callback?state=${state}`), 'invalid_request')
  })

  it.each(['nonce', 'audience', 'token-endpoint', 'access-token'] as const)(
    'with a wrong %s gives no tokens',
    async (fault) => {
      const { authorization_url } = await begin()
      provider.fault = fault
      expectFailure(await comeBack(provider.signIn(authorization_url)), 'token_exchange_failed')
    },
  )

  it('with the code of another sign-in fails on PKCE', async () => {
    const own = await begin()
    const other = provider.signIn((await begin()).authorization_url)
    const mixed = new URL(other)
    mixed.searchParams.set('state', own.state)
    expectFailure(await comeBack(mixed.href), 'token_exchange_failed')
  })

  it.each([
    'https://evil.example.com/',
    'https://chat.example.com.evil.example/',
    'https://chat.example.com@evil.example/',
    'https://user:pass@chat.example.com/',
    'http://chat.example.com/',
    'https://chat.example.com:8443/',
    '//evil.example.com',
    'javascript:alert(1)',
    'data:text/html,x',
    '/signed-in',
    `https://chat.example.com/${'x'.repeat(2_100)}`,
  ])('sends tokens to no other place than an allowed one: %s', async (redirectUrl) => {
    const answer = await send(`${server.url}/auth/login?redirect_url=${encodeURIComponent(redirectUrl)}`)
    expect({ status: answer.status, body: answer.json() }).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_parameter', param: 'redirect_url' } },
    })
  })
})

describe('what services ask about credentials', () => {
  const validateKey = (body: unknown, key: string | null) =>
    send(`${server.url}/auth/validate-api-key`, {
      method: 'POST',
      json: body,
      ...(key === null ? {} : { headers: { 'x-service-key': key } }),
    })

  it('tells whose a valid token is', async () => {
    const tokens = await signIn()
    const answer = await clientOf(server, tokens.get('access_token') ?? '').post('/auth/validate')
    expect(answer.json()).toEqual({
      valid: true,
      user_info: {
        sub: 'ada-at-provider',
        preferred_username: 'ada',
        email: 'ada@example.org',
        email_verified: true,
        name: 'Ada King Lovelace',
        given_name: 'Ada King',
        family_name: 'Lovelace',
        roles: ['user'],
        groups: [],
      },
    })
    for (const headers of [undefined, { authorization: 'Bearer nonsense' }]) {
      expect(
        (await send(`${server.url}/auth/validate`, { method: 'POST', ...(headers && { headers }) })).status,
      ).toBe(401)
    }
  })

  it('tells services whose a key is', async () => {
    const answer = await validateKey({ api_key: server.adminKey }, serviceKey)
    expect({ status: answer.status, body: answer.json() }).toMatchObject({
      status: 200,
      body: { username: 'admin', first_name: 'Administrator', last_name: null, roles: ['admin', 'user'] },
    })
  })

  it('tells nobody else anything', async () => {
    for (const key of [null, 'wrong', server.adminKey]) {
      for (const api_key of [server.adminKey, 'sk_live_unknown']) {
        const answer = await validateKey({ api_key }, key)
        expect({ status: answer.status, body: answer.json() }).toMatchObject({
          status: 401,
          body: { error: { code: 'missing_credentials' } },
        })
      }
    }
    const admin = await clientOf(server, server.adminKey).post('/auth/validate-api-key', {
      api_key: server.adminKey,
    })
    expect(admin.status).toBe(401)
  })

  it('knows bad keys, and keys alone', async () => {
    for (const api_key of ['sk_live_unknown', 'not-a-key']) {
      const answer = await validateKey({ api_key }, serviceKey)
      expect({ status: answer.status, body: answer.json() }).toMatchObject({
        status: 401,
        body: { error: { code: 'invalid_api_key' } },
      })
    }
    const missing = await validateKey({}, serviceKey)
    expect({ status: missing.status, body: missing.json() }).toMatchObject({
      status: 400,
      body: { error: { code: 'missing_parameter', param: 'api_key' } },
    })
  })
})

describe('a platform without an identity provider or a service key', () => {
  let plain: SharedServer
  beforeAll(async () => {
    plain = await sharedTestServer()
  }, 60_000)

  it('answers 503 to sign-ins, 404 to services, and sends callbacks home', async () => {
    const login = await send(`${plain.url}/auth/login`)
    expect({ status: login.status, body: login.json() }).toMatchObject({
      status: 503,
      body: { error: { code: 'service_unavailable' } },
    })
    const validate = await send(`${plain.url}/auth/validate-api-key`, {
      method: 'POST',
      json: { api_key: plain.adminKey },
      headers: { 'x-service-key': serviceKey },
    })
    expect(validate.status).toBe(404)
    const callback = await send(`${plain.url}/auth/callback?state=x&code=y`, { redirect: 'manual' })
    expect(callback.headers.get('location')).toMatch(new RegExp(`^${plain.url}/\\?error=invalid_state`))
  })
})

async function withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server.databaseUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
