import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { send } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let server: TestServer
beforeAll(async () => {
  // With its logs: if it does not stop, they tell what it waited for.
  server = await startTestServer()
}, 60_000)
// Also shows that no connection was lost to the outage: the pool's end would wait for it.
afterAll(() => server.stop())

/** Lets nobody onto the server's database, or everybody again. Those who were on it are thrown off. */
async function admit(admitted: boolean): Promise<void> {
  const url = new URL(server.databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/template1'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  await client.query(`alter database ${name} allow_connections ${admitted}`)
  if (!admitted)
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  await client.end()
}

/** Asks until the status is there. */
async function becomes(path: string, status: number): Promise<Record<string, unknown>> {
  const deadline = Date.now() + 15_000
  while (Date.now() < deadline) {
    const answer = await send(`${server.url}${path}`)
    if (answer.status === status) return answer.json()
  }
  throw new Error(`${path} never answered ${status}`)
}

describe('readiness', () => {
  it('follows the database, liveness does not, and callers are told 503, never 401', async () => {
    const login = await send(`${server.url}/auth/guest-login`, { method: 'POST' })
    const { access_token } = login.json<{ access_token: string }>()
    await admit(false)
    expect(await becomes('/readyz', 503)).toMatchObject({ failing: expect.arrayContaining(['database']) })
    expect((await send(`${server.url}/healthz`)).status).toBe(200)
    const refused = await send(`${server.url}/v1/projects`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    expect({ status: refused.status, body: refused.json() }).toMatchObject({
      status: 503,
      body: { error: { type: 'upstream_error', code: 'service_unavailable' } },
    })
    await admit(true)
    expect(await becomes('/readyz', 200)).toEqual({ status: 'ready' })
    const served = await send(`${server.url}/v1/projects`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    expect(served.status).toBe(200)
  }, 40_000)
})
