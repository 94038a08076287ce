import { beforeAll, describe, expect, it } from '@jest/globals'
import { guest, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
}, 60_000)

const path = '/v1/users/me/settings'

interface Failure {
  readonly error: { readonly code: string; readonly param: string; readonly message: string }
}

describe('/v1/users/me/settings', () => {
  it('has the documented defaults, at the top and under data', async () => {
    const answer = await client.get(path)
    const body = answer.json()
    expect(body).toMatchObject({
      id: expect.stringMatching(/^uset_/),
      memory_config: { enabled: true, inject_episodic: false, max_project_items: 5, min_similarity: 0.75 },
      profile_settings: { base_style: 'Friendly', nick_name: '' },
      advanced_settings: { web_search: false, code_enabled: false },
      enable_trace: false,
      enable_tools: true,
      preferences: { enable_thinking: true, enable_search: true, enable_deep_research: false },
      server_capabilities: { image_generation_enabled: true },
      meta: { api_version: 'v1' },
    })
    const { data, meta: _, ...top } = body
    expect(data).toEqual(top)
    const models = (await client.get('/v1/models')).json<{ data: { id: string }[] }>()
    expect(body.preferences).toMatchObject({ selected_model: models.data[0]?.id })
  })

  it('is changed field by field, under other names of fields too', async () => {
    await client.patch(path, { profile_settings: { nickname: 'Ada', base_style: 'Concise' } })
    await client.patch(path, { advanced_settings: { web_search_enabled: true } })
    const answer = await client.patch(path, { profile_settings: { occupation: 'Mathematician' } })
    expect(answer.json()).toMatchObject({
      profile_settings: { nick_name: 'Ada', base_style: 'Concise', occupation: 'Mathematician' },
      advanced_settings: { web_search: true, code_enabled: false },
    })
  })

  it('takes what it gave, read-only fields included', async () => {
    const { data } = (await client.get(path)).json<{ data: { id: string; updated_at: string } }>()
    const again = await client.patch(path, data)
    expect(again.status).toBe(200)
    expect(again.json()).toMatchObject({ ...data, updated_at: expect.any(String) })
  })

  it.each([
    [{ profile_settings: { base_style: 'Rude' } }, 'profile_settings.base_style'],
    [{ memory_config: { max_user_items: 21 } }, 'memory_config.max_user_items'],
    [{ memory_config: { max_project_items: 2 ** 40 } }, 'memory_config.max_project_items'],
    [{ memory_config: { min_similarity: 2 } }, 'memory_config.min_similarity'],
    [{ enable_trace: 'yes' }, 'enable_trace'],
    [{ preferences: { enable_search: 1 } }, 'preferences.enable_search'],
  ])('refuses %j by naming the field', async (body, param) => {
    const answer = await client.patch(path, body)
    expect(answer.status).toBe(400)
    expect(answer.json<Failure>().error).toMatchObject({
      code: 'invalid_parameter',
      param,
      message: expect.stringContaining(param.split('.').at(-1) as string),
    })
  })

  it('is everybody’s own', async () => {
    const other = await guest(server)
    const mine = (await client.get(path)).json()
    const theirs = (await other.get(path)).json()
    expect(theirs.id).not.toBe(mine.id)
    expect(theirs).toMatchObject({ profile_settings: { nick_name: '' } })
  })
})

describe('/v1/users/me/settings/preferences', () => {
  it('merges keys, and keeps those of clients', async () => {
    await client.patch(`${path}/preferences`, { preferences: { theme: 'dark', enable_browser: true } })
    await client.patch(`${path}/preferences`, { preferences: { enable_browser: false } })
    const answer = (await client.get(`${path}/preferences`)).json()
    expect(answer).toMatchObject({
      preferences: { theme: 'dark', enable_browser: false, enable_search: true },
    })
    expect(answer.data).toEqual({ preferences: answer.preferences })
  })

  it('is the same thing as in the settings', async () => {
    const { preferences } = (await client.get(`${path}/preferences`)).json()
    expect((await client.get(path)).json().preferences).toEqual(preferences)
  })

  it('needs preferences to change them', async () => {
    const answer = await client.patch(`${path}/preferences`, { enable_search: false })
    expect(answer.status).toBe(400)
    expect(answer.json<Failure>().error).toMatchObject({ code: 'missing_parameter', param: 'preferences' })
  })
})
