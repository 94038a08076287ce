import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { clientOf, guest, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

/** A model whose id has a slash in it, as those of most providers have. */
const model = 'lab/jan'

let server: TestServer
let admin: TestClient
let user: TestClient
beforeAll(async () => {
  server = await startTestServer({ MODEL_ALIASES: `${model}=jan-dev` })
  admin = clientOf(server, server.adminKey)
  user = await guest(server)
}, 60_000)
afterAll(() => server.stop())

const path = '/v1/admin/prompt-templates'

interface Template {
  readonly id: string
  readonly template_key: string
}

async function create(template_key: string, changes: object = {}): Promise<Template> {
  const body = { name: 'Mine', category: 'system', template_key, content: 'Text.', ...changes }
  const answer = await admin.post(path, body)
  expect(answer.status).toBe(201)
  return answer.json<Template>()
}

describe('/v1/prompt-templates/{key}', () => {
  it('gives what is active to everybody who is signed in', async () => {
    const answer = await user.get('/v1/prompt-templates/deep_research')
    expect(answer.json()).toMatchObject({
      public_id: expect.stringMatching(/^ptpl_/),
      template_key: 'deep_research',
      is_system: true,
      data: { version: 1 },
    })
    expect((await fetch(`${server.url}/v1/prompt-templates/deep_research`)).status).toBe(401)
  })

  it('is 404 where there is none, or an inactive one', async () => {
    const { id } = await create('switched-off')
    await admin.patch(`${path}/${id}`, { is_active: false })
    expect((await user.get('/v1/prompt-templates/switched-off')).status).toBe(404)
    expect((await user.get('/v1/prompt-templates/never-made')).status).toBe(404)
  })
})

describe('/v1/admin/prompt-templates', () => {
  it('is closed to everybody but administrators', async () => {
    const answer = await user.get(path)
    expect(answer.status).toBe(403)
    expect(answer.json<{ error: object }>().error).toMatchObject({
      type: 'permission_error',
      code: 'admin_required',
    })
  })

  it('makes, reads, changes, copies and deletes', async () => {
    const { id } = await create('life_cycle', { variables: ['A'], metadata: { by: 'me' } })
    expect((await admin.get(`${path}/${id}`)).json()).toMatchObject({ version: 1, metadata: { by: 'me' } })
    const changed = await admin.patch(`${path}/${id}`, { content: 'Other.' })
    expect(changed.json()).toMatchObject({ version: 2, content: 'Other.', name: 'Mine' })
    const copy = await admin.post(`${path}/${id}/duplicate`)
    expect(copy.status).toBe(201)
    expect(copy.json()).toMatchObject({ content: 'Other.', is_system: false, version: 1 })
    expect((await admin.delete(`${path}/${id}`)).status).toBe(204)
    expect((await admin.get(`${path}/${id}`)).status).toBe(404)
    expect((await admin.patch(`${path}/${id}`, { name: 'Gone' })).status).toBe(404)
    expect((await admin.delete(`${path}/${id}`)).status).toBe(404)
  })

  it('refuses a second one of a key, and to delete what came with the platform', async () => {
    await create('once')
    const second = await admin.post(path, {
      name: 'x',
      category: 'x',
      template_key: 'once',
      content: 'x',
    })
    expect(second.status).toBe(409)
    const { id } = (await user.get('/v1/prompt-templates/timing')).json<Template>()
    expect((await admin.delete(`${path}/${id}`)).status).toBe(403)
  })

  it('names what is missing', async () => {
    const answer = await admin.post(path, { name: 'x', category: 'x', template_key: 'k' })
    expect(answer.status).toBe(400)
    expect(answer.json<{ error: object }>().error).toMatchObject({
      code: 'missing_parameter',
      param: 'content',
    })
  })

  it('lists by filters with the number of all', async () => {
    await create('listed-1', { category: 'reasoning', name: 'Listed' })
    await create('listed-2', { category: 'reasoning', name: 'Listed' })
    const list = await admin.get(`${path}?category=reasoning&search=listed&is_system=false&limit=1`)
    expect(list.json()).toMatchObject({ data: [{ template_key: 'listed-2' }], total: 2, limit: 1 })
    const next = await admin.get(`${path}?category=reasoning&search=listed&limit=1&offset=1`)
    expect(next.json()).toMatchObject({ data: [{ template_key: 'listed-1' }], total: 2 })
    expect((await admin.get(`${path}?is_active=maybe`)).status).toBe(400)
  })
})

const root = '/v1/admin/models'

describe.each([
  {
    spelling: 'the routes of the code',
    list: `${root}/prompt-templates/list/${model}`,
    assign: `${root}/prompt-templates/assign/${model}`,
    effective: `${root}/prompt-templates/effective/${model}`,
    one: (action: string) => `${root}/prompt-templates/${action}/timing/${model}`,
  },
  {
    spelling: 'the older routes',
    list: `${root}/catalog-prompt-templates/${model}`,
    assign: `${root}/catalog-prompt-templates/${model}`,
    effective: `${root}/catalog-prompt-templates/${model}/effective`,
    one: () => `${root}/catalog-prompt-templates/${model}/timing`,
  },
  {
    spelling: 'the older routes, with a model’s id in one piece',
    list: `${root}/catalog-prompt-templates/${encodeURIComponent(model)}`,
    assign: `${root}/catalog-prompt-templates/${encodeURIComponent(model)}`,
    effective: `${root}/catalog-prompt-templates/${encodeURIComponent(model)}/effective`,
    one: () => `${root}/catalog-prompt-templates/${encodeURIComponent(model)}/timing`,
  },
])('the templates of a model, by $spelling', ({ spelling, list, assign, effective, one }) => {
  const timing = async () => {
    const answer = await admin.get(effective)
    return answer.json<{ templates: Record<string, object> }>().templates.timing
  }

  it('are assigned, read, changed and taken back', async () => {
    const template = await create(`for-${spelling.replace(/\W+/g, '-')}`, { content: spelling })
    const body = { template_key: 'timing', prompt_template_id: template.id }
    expect(await timing()).toMatchObject({ source: 'global_default', source_kind: 'global' })
    expect((await admin.post(assign, body)).status).toBe(201)
    const again = await admin.post(assign, { ...body, priority: 7 })
    expect(again.status).toBe(200)
    expect(again.json()).toMatchObject({
      model_catalog_id: model,
      template_key: 'timing',
      prompt_template_id: template.id,
      priority: 7,
      is_active: true,
      prompt_template: { public_id: template.id, template_key: template.template_key },
    })
    expect(await timing()).toMatchObject({
      source: 'model_specific',
      source_kind: 'model',
      template: { content: spelling },
    })
    expect((await admin.get(list)).json()).toMatchObject({ data: [{ priority: 7 }], total: 1, page: 1 })
    const changed = await admin.patch(one('update'), { is_active: false })
    expect(changed.json()).toMatchObject({ is_active: false, priority: 7 })
    expect(await timing()).toMatchObject({ source: 'global_default' })
    expect((await admin.delete(one('unassign'))).status).toBe(204)
    expect((await admin.delete(one('unassign'))).status).toBe(404)
    expect((await admin.get(list)).json()).toMatchObject({ data: [], total: 0 })
  })

  it('need the template and the key, a model and a template that there are', async () => {
    expect((await admin.post(assign, { template_key: 'timing' })).status).toBe(400)
    const body = { template_key: 'timing', prompt_template_id: 'ptpl_0000000000000000' }
    expect((await admin.post(assign, body)).status).toBe(404)
    for (const priority of [2 ** 31, 1.5, 'first']) {
      const refused = await admin.post(assign, { ...body, priority })
      expect([refused.status, refused.json()]).toMatchObject([400, { error: { param: 'priority' } }])
    }
    expect((await admin.get(effective.replace('jan', 'none'))).status).toBe(404)
    expect((await user.get(effective)).status).toBe(403)
  })
})
