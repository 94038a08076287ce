import { beforeAll, describe, expect, it } from '@jest/globals'
import { guest } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
beforeAll(async () => {
  server = await sharedTestServer()
}, 60_000)

describe('DELETE /v1/users/me', () => {
  it('ends every credential at once, and all that was there', async () => {
    const leaving = await guest(server)
    const { id } = (await leaving.get('/v1/users/me')).json<{ id: string }>()
    const conversation = (await leaving.post('/v1/conversations', { title: 'Private' })).json<{
      id: string
    }>().id
    const { key } = (await leaving.post('/auth/api-keys', { name: 'k' })).json<{ key: string }>()
    const shown = () => fetch(`${server.url}/v1/conversations/${conversation}`, { headers: leaving.headers })
    const byKey = () => fetch(`${server.url}/v1/models`, { headers: { 'x-api-key': key } })
    expect([(await shown()).status, (await byKey()).status]).toEqual([200, 200])

    const unconfirmed = await leaving.delete('/v1/users/me')
    expect(unconfirmed.status).toBe(400)
    expect(unconfirmed.json()).toMatchObject({ error: { param: 'confirm' } })
    const withKey = await fetch(`${server.url}/v1/users/me?confirm=${id}`, {
      method: 'DELETE',
      headers: { 'x-api-key': key },
    })
    expect(withKey.status).toBe(403)

    const deleted = await leaving.delete(`/v1/users/me?confirm=${id}`)
    expect([deleted.status, deleted.json()]).toEqual([200, { id, object: 'user.deleted', deleted: true }])
    expect([(await shown()).status, (await byKey()).status]).toEqual([401, 401])
    const again = await fetch(`${server.url}/llm/auth/refresh`, { method: 'POST', headers: leaving.headers })
    expect(again.status).toBe(401)
  })
})
