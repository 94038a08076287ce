import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type Behaviour, type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { dataUrlOf, noisyImage, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { eventually, failure } from './testing/caller.ts'

let fake: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider({ models: ['open', 'closed', 'closed-model', 'off', 'off-here'] })
  test = await startTestGraph({
    IMAGE_PROVIDER_URL: fake.url,
    VLLM_PROVIDER_URL: fake.url,
    PROVIDER_MAX_RETRIES: '0',
    PROVIDER_BREAKER_FAULTS: '2',
  })
  const { pool } = test.services.database
  await pool.query(`
    update models.provider_model set model_id = 'vendor/closed' where original_id = 'closed';
    update models.provider_model set is_active = false where original_id = 'off-here';
    insert into models.catalog_entry (model_id, requires_feature_flag, supported_parameters, architecture, tags)
      select 'vendor/closed', 'insiders', supported_parameters, architecture, tags from models.catalog_entry where model_id = 'closed';
    update models.catalog_entry set requires_feature_flag = 'insiders' where model_id = 'closed-model';
    update models.catalog_entry set is_active = false where model_id = 'off';`)
  await pool.query(`select pg_notify('models_changed', 'another process')`)
  await eventually(
    () => failure(make({ model: 'closed-model' })).catch(() => null),
    (refusal) => refusal?.code === 'model_not_found',
  )
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

const generation =
  'mutation ($input: GenerateImagesInput!) { generateImages(input: $input) { modelId images { b64Json } } }'
async function make(input: object, actor: Actor = someActor(), behaviour?: Behaviour) {
  const data = [{ b64_json: (await testImage()).toString('base64') }]
  fake.unscript()
  fake.script(behaviour ?? { body: { created: 1, data } })
  const context = test.contextFor(actor)
  const variables = { input: { prompt: 'A kite', ...input } }
  return (await context.graph.execute(parse(generation), variables, context)) as object
}
const providerId = async () => {
  const { rows } = await test.services.database.pool.query<{ id: string }>(
    `select public_id as id from models.provider where category = 'image'`,
  )
  return rows[0]?.id
}

const edition = 'mutation ($input: EditImagesInput!) { editImages(input: $input) { modelId } }'

describe('images that are changed', () => {
  it('that are large are for a few at a time: the others wait until there is room', async () => {
    const actor = someActor()
    const media = 'mutation ($input: CreateMediaInput!) { createMedia(input: $input) { media { id } } }'
    const own = test.contextFor(actor)
    const input = { dataUrl: dataUrlOf(await noisyImage(1_200)) }
    const { createMedia } = (await own.graph.execute(parse(media), { input }, own)) as {
      createMedia: { media: { id: string } }
    }
    const { id } = createMedia.media
    fake.unscript()
    fake.script(...Array.from({ length: 7 }, () => ({ hang: 'before-head' as const })))
    const before = fake.requests.length
    const leaving = Array.from({ length: 7 }, () => new AbortController())
    const work = leaving.map(({ signal }) => {
      const context = test.contextFor(actor, signal)
      return failure(
        context.graph.execute(parse(edition), { input: { prompt: 'x', images: [{ id }] } }, context),
      )
    })
    await fake.request(before + 5)
    const [first] = fake.requests.slice(before)
    for (const one of leaving.slice(0, 3)) one.abort()
    await fake.request(before + 6)
    const arrived = fake.requests.slice(before)
    const left = arrived.slice(0, 6).map(({ leftAt }) => leftAt ?? Number.POSITIVE_INFINITY)
    expect(Math.min(...left)).toBeLessThanOrEqual(arrived[6]?.receivedAt ?? 0)
    expect(first?.body.length).toBeGreaterThan(4_000_000)
    for (const one of leaving) one.abort()
    await Promise.all(work)
    fake.unscript()
  }, 60_000)
})

describe('a model that makes images', () => {
  it.each([
    ['closed, by its own name', 'closed-model'],
    ['closed, by the platform’s name of it', 'vendor/closed'],
    ['closed, by the provider’s name of it', 'closed'],
    ['switched off', 'off'],
    ['switched off where it is listed', 'off-here'],
  ])('is not asked where it is %s, nor through its provider', async (_what, model) => {
    const before = fake.requests.length
    const refusal = { code: 'model_not_found', param: 'model' }
    expect(await failure(make({ model }))).toMatchObject(refusal)
    expect(await failure(make({ model, providerId: await providerId() }))).toMatchObject(refusal)
    expect(fake.requests).toHaveLength(before)
  })

  it.each(['open', 'unheard-of'])(
    'called %s is asked of the provider of images by that name',
    async (model) => {
      const named = { model, providerId: await providerId() }
      expect(await make(named)).toMatchObject({ generateImages: { modelId: model } })
      expect(fake.requests.at(-1)?.json?.model).toBe(model)
    },
  )

  it('answers who has its flag', async () => {
    const insider = someActor({ featureFlags: ['insiders'] })
    await make({ model: 'closed', providerId: await providerId() }, insider)
    await make({ model: 'vendor/closed' }, insider)
    expect(fake.requests.at(-1)?.json?.model).toBe('closed')
  })

  it('shares what is known of its provider with all that nobody lists: names that are only thought of leave nothing behind', async () => {
    for (const model of ['thought-of-1', 'thought-of-2']) {
      const behaviour = { status: 500, body: {} }
      expect(await failure(make({ model }, someActor(), behaviour))).toMatchObject({ code: 'provider_error' })
    }
    const before = fake.requests.length
    expect(await failure(make({ model: 'thought-of-3' }))).toMatchObject({ code: 'service_unavailable' })
    expect(fake.requests).toHaveLength(before)
  })
})
