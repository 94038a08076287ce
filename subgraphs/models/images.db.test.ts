import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import sharp from 'sharp'
import type { Actor } from '../../platform/actor.ts'
import {
  type FakeProvider,
  type RecordedRequest,
  startFakeProvider,
} from '../../platform/testing/fake-provider.ts'
import { dataUrlOf, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, failure } from './testing/caller.ts'

let fake: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider()
  test = await startTestGraph({
    IMAGE_PROVIDER_URL: fake.url,
    IMAGE_PROVIDER_API_KEY: 'sk-images',
    VLLM_PROVIDER_URL: fake.url,
    OUTBOUND_ALLOW_HOSTS: '127.0.0.1',
    IMAGE_GENERATION_TIMEOUT: '2s',
  })
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

interface Made {
  readonly images: {
    readonly media: { readonly id: string; readonly mimeType: string; readonly width: number }
    readonly b64Json: string
    readonly revisedPrompt: string | null
  }[]
  readonly modelId: string
  readonly usage: object
  readonly conversation: { readonly id: string } | null
}

const fields =
  '{ modelId images { media { id mimeType width } b64Json revisedPrompt } usage { inputTokens outputTokens totalTokens textTokens imageTokens isEstimated } conversation { id } }'
const generation = `mutation ($input: GenerateImagesInput!) { made: generateImages(input: $input) ${fields} }`
const edition = `mutation ($input: EditImagesInput!) { made: editImages(input: $input) ${fields} }`

async function ask<T>(text: string, variables: object, actor: Actor, graph = test): Promise<T> {
  const context = graph.contextFor(actor)
  return (await context.graph.execute(parse(text), variables, context)) as T
}
const make = async (input: object, actor: Actor, graph = test) =>
  (await ask<{ made: Made }>(generation, { input }, actor, graph)).made
const edit = async (input: object, actor: Actor, graph = test) =>
  (await ask<{ made: Made }>(edition, { input }, actor, graph)).made
const createMedia = async (bytes: Buffer, actor: Actor) => {
  const text = 'mutation ($input: CreateMediaInput!) { createMedia(input: $input) { media { id } } }'
  const input = { dataUrl: dataUrlOf(bytes) }
  return (await ask<{ createMedia: { media: { id: string } } }>(text, { input }, actor)).createMedia.media.id
}
const createConversation = async (actor: Actor) => {
  const text = 'mutation { createConversation(input: { title: "Pictures" }) { id } }'
  return (await ask<{ createConversation: { id: string } }>(text, {}, actor)).createConversation.id
}
const itemsOf = async (id: string, actor: Actor) => {
  const text =
    'query ($id: ID!) { conversation(id: $id) { items(first: 9, order: ASC) { nodes { type role content details media { id } } } } }'
  const read = await ask<{ conversation: { items: { nodes: Record<string, unknown>[] } } }>(
    text,
    { id },
    actor,
  )
  return read.conversation.items.nodes
}
const base64 = async () => (await testImage()).toString('base64')
const answering = (data: object[], more: object = {}) => ({
  status: 200,
  body: { created: 1, data, ...more },
})
const formOf = ({ headers, body }: RecordedRequest) =>
  new Response(new Uint8Array(body), {
    headers: { 'content-type': String(headers['content-type']) },
  }).formData()

describe('images of a prompt', () => {
  it('are asked of the provider of images, kept as media and given in both forms', async () => {
    const [first, second] = [await base64(), await base64()]
    fake.script(
      answering([{ b64_json: first, revised_prompt: 'A very red kite' }, { b64_json: second }], {
        usage: {
          input_tokens: 7,
          output_tokens: 90,
          total_tokens: 97,
          input_tokens_details: { text_tokens: 7, image_tokens: 0 },
        },
      }),
    )
    const made = await make(
      { prompt: 'A red kite', n: 2, style: 'vivid', cfgScale: 4.5, extra: { seed: 3 } },
      someActor(),
    )
    expect(made).toMatchObject({
      modelId: 'z-image',
      images: [
        { media: { mimeType: 'image/png', width: 8 }, b64Json: first, revisedPrompt: 'A very red kite' },
        { b64Json: second, revisedPrompt: null },
      ],
      usage: { inputTokens: 7, outputTokens: 90, totalTokens: 97, isEstimated: false },
      conversation: null,
    })
    expect(made.images[0]?.media.id).toMatch(/^jan_[0-9a-z]{26}$/)
    const { path, json, headers } = fake.requests.at(-1) as RecordedRequest
    expect(path).toBe('/v1/images/generations')
    expect(headers.authorization).toBe('Bearer sk-images')
    expect(json).toEqual({
      prompt: 'A red kite',
      model: 'z-image',
      n: 2,
      size: '1024x1024',
      style: 'vivid',
      cfg_scale: 4.5,
      seed: 3,
      response_format: 'b64_json',
    })
  })

  it.each([
    ['too large to be any', { input_tokens: 2 ** 40, output_tokens: 1 }, { isEstimated: true }],
    ['negative', { input_tokens: -1 }, { isEstimated: true }],
    [
      'that contradict each other',
      { input_tokens: 3, output_tokens: 2 ** 40, input_tokens_details: { image_tokens: 5 } },
      { inputTokens: 3, outputTokens: 0, totalTokens: 3, textTokens: 0, imageTokens: 5, isEstimated: false },
    ],
    ['that are none', 'many', { isEstimated: true }],
  ])('cost figures %s no answer', async (_what, usage, told) => {
    fake.script(answering([{ b64_json: await base64() }], { usage }))
    expect((await make({ prompt: 'A kite' }, someActor())).usage).toMatchObject(told)
  })

  it('are fetched where the provider sends links, and never from where it may not be', async () => {
    const bytes = await base64()
    fake.script(answering([{ url: `data:image/png;base64,${bytes}` }]))
    expect((await make({ prompt: 'A kite' }, someActor())).images).toMatchObject([{ b64Json: bytes }])
    fake.script(answering([{ url: 'http://169.254.169.254/latest/meta-data' }]))
    expect(await failure(make({ prompt: 'A kite' }, someActor()))).toMatchObject({ code: 'provider_error' })
  })

  it('belong to their conversation, and to what a model is told of it', async () => {
    const actor = someActor()
    const conversationId = await createConversation(actor)
    fake.script(answering([{ b64_json: await base64(), revised_prompt: 'A kite in the wind' }]))
    const made = await make({ prompt: 'A kite', conversationId }, actor)
    const id = made.images[0]?.media.id
    expect(made.conversation).toEqual({ id: conversationId })
    expect(await itemsOf(conversationId, actor)).toMatchObject([
      { type: 'message', role: 'USER', content: [{ type: 'input_text', text: 'A kite' }], media: [] },
      {
        type: 'image_generation_call',
        role: 'ASSISTANT',
        content: [{ type: 'image', image: { url: id, file_id: id } }],
        details: { prompt: 'A kite', model: 'z-image', revised_prompt: 'A kite in the wind' },
        media: [{ id }],
      },
    ])
    await callerOf(test, actor).complete({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'What did you draw?' }],
      conversation: conversationId,
    })
    expect(fake.requests.at(-1)?.json?.messages).toMatchObject([
      { role: 'user', content: 'A kite' },
      { role: 'assistant', content: expect.stringContaining('A kite in the wind') },
      { role: 'user', content: 'What did you draw?' },
    ])
  })

  it('are not begun for a conversation that is full', async () => {
    const actor = someActor()
    const conversationId = await createConversation(actor)
    const { pool } = test.services.database
    const fill = (count: number) =>
      pool.query(
        `update conversations.branch b set item_count = $2 from conversations.conversation c
         where c.public_id = $1 and b.key = c.active_branch_key`,
        [conversationId, count],
      )
    const asked = fake.requests.length
    await fill(9_999)
    expect(await failure(make({ prompt: 'A kite', conversationId }, actor))).toMatchObject({
      code: 'conversation_full',
      param: 'conversation_id',
    })
    expect(fake.requests).toHaveLength(asked)
    const drawn = answering([{ b64_json: await base64() }])
    fake.script(drawn, drawn)
    expect(await make({ prompt: 'A kite', conversationId, store: false }, actor)).toMatchObject({
      conversation: null,
    })
    await fill(9_998)
    expect(await make({ prompt: 'A kite', conversationId }, actor)).toMatchObject({
      conversation: { id: conversationId },
    })
  })

  it('are answered with where their conversation goes while they are made', async () => {
    const actor = someActor()
    const conversationId = await createConversation(actor)
    const result = await base64()
    fake.script({ ...answering([{ b64_json: result }]), headDelayMs: 500 })
    const asked = fake.request()
    const making = make({ prompt: 'A kite', conversationId }, actor)
    await asked
    await ask(
      'mutation ($id: ID!) { deleteConversation(id: $id) { __typename } }',
      { id: conversationId },
      actor,
    )
    expect(await making).toMatchObject({ images: [{ b64Json: result }], conversation: null })
  })

  it('stay out of the conversation with `store: false`', async () => {
    const actor = someActor()
    const conversationId = await createConversation(actor)
    fake.script(answering([{ b64_json: await base64() }]))
    expect(await make({ prompt: 'A kite', conversationId, store: false }, actor)).toMatchObject({
      conversation: null,
    })
    expect(await itemsOf(conversationId, actor)).toEqual([])
  })

  it('are no more, and no larger, than anybody can have a use for', async () => {
    const many = await Promise.all(Array.from({ length: 12 }, async () => ({ b64_json: await base64() })))
    fake.script(answering(many))
    expect((await make({ prompt: 'A kite' }, someActor())).images).toHaveLength(10)
  })

  it('are paid for by a client that leaves while they are made', async () => {
    const actor = someActor()
    const leaving = new AbortController()
    fake.script({ hang: 'before-head' })
    const context = test.contextFor(actor, leaving.signal)
    const asked = fake.requests.length
    const work = context.graph.execute(parse(generation), { input: { prompt: 'A kite' } }, context)
    const request = await fake.request(asked)
    leaving.abort()
    expect(await failure(work)).not.toBeNull()
    await request.left()
    const usage = await eventually(
      async () => {
        const { pool } = test.services.database
        return (
          await pool.query(`select status, model, estimated from accounts.usage_record where user_id = $1`, [
            actor.id,
          ])
        ).rows
      },
      (rows) => rows.length > 0,
    )
    expect(usage).toEqual([{ status: 'aborted', model: 'z-image', estimated: true }])
  })

  it('are made by the provider that lists the model, under its own name', async () => {
    fake.script(answering([{ b64_json: await base64() }]))
    await make({ prompt: 'A kite', model: 'fake-model' }, someActor())
    expect(fake.requests.at(-1)?.json).toMatchObject({ model: 'fake-model' })
    expect(fake.requests.at(-1)?.headers.authorization).toBeUndefined()
  })

  it.each([
    ['without a prompt', { prompt: '' }, { code: 'invalid_parameter', param: 'prompt' }],
    [
      'of a size that there is not',
      { prompt: 'x', size: '7x7' },
      { code: 'invalid_parameter', param: 'size' },
    ],
    ['none of them', { prompt: 'x', n: 0 }, { code: 'invalid_parameter', param: 'n' }],
    ['more than there may be', { prompt: 'x', n: 5 }, { code: 'invalid_parameter', param: 'n' }],
    ['more than anybody makes', { prompt: 'x', n: 11 }, { code: 'invalid_parameter', param: 'n' }],
    [
      'by a model whose name can’t be accounted for',
      { prompt: 'x', model: 'a\u0000' },
      { code: 'invalid_parameter', param: 'model' },
    ],
    [
      'by a model with an endless name',
      { prompt: 'x', model: 'a'.repeat(257) },
      { code: 'invalid_parameter', param: 'model' },
    ],
    ['by nobody', { prompt: 'x', providerId: 'prov_x' }, { code: 'not_found', param: 'provider_id' }],
    [
      'for a conversation that there is not',
      { prompt: 'x', conversationId: 'conv_0000000000000000' },
      { code: 'conversation_not_found', param: 'conversation_id' },
    ],
  ])('%s are refused before anybody is asked', async (_what, input, error) => {
    const before = fake.requests.length
    expect(await failure(make(input, someActor()))).toMatchObject(error)
    expect(fake.requests).toHaveLength(before)
  })

  it.each([
    [
      'refuses',
      { status: 400, body: { error: { message: 'No such style.', param: 'style' } } },
      'invalid_parameter',
      1,
    ],
    ['fails three times', { status: 500, body: {} }, 'provider_error', 3],
    ['sends no images', answering([]), 'provider_error', 1],
    ['sends an image of no bytes', answering([{}]), 'provider_error', 1],
    ['sends what is no image', answering([{ b64_json: 'aGVsbG8=' }]), 'provider_error', 1],
    ['is silent', { hang: 'before-head' as const }, 'upstream_timeout', 1],
  ])('that a provider %s come as its failure', async (_what, behaviour, code, asked) => {
    const before = fake.requests.length
    fake.script(...Array.from({ length: asked }, () => behaviour))
    expect(await failure(make({ prompt: 'A kite' }, someActor()))).toMatchObject({ code })
    expect(fake.requests.length - before).toBe(asked)
    fake.unscript()
  })

  it('are nobody’s who is not signed in', async () => {
    const context = test.contextFor(null)
    const work = context.graph.execute(parse(generation), { input: { prompt: 'x' } }, context)
    expect(await failure(work)).toMatchObject({ code: 'missing_credentials' })
  })
})

describe('images of images', () => {
  it('are asked with the bytes of what is named in any way, and keep its ids', async () => {
    const actor = someActor()
    const bytes = [await testImage(), await testImage('jpeg'), await testImage('webp')] as const
    const id = await createMedia(bytes[0], actor)
    const mask = await testImage()
    const conversationId = await createConversation(actor)
    const result = await base64()
    fake.script(answering([{ b64_json: result }]))
    const made = await edit(
      {
        prompt: 'Make it blue',
        images: [
          { id },
          { url: dataUrlOf(bytes[1], 'image/jpeg') },
          { b64Json: bytes[2].toString('base64') },
        ],
        mask: { b64Json: mask.toString('base64') },
        strength: 0.4,
        size: '512x512',
        negativePrompt: 'people',
        conversationId,
      },
      actor,
    )
    expect(made.images).toMatchObject([{ b64Json: result }])
    const request = fake.requests.at(-1) as RecordedRequest
    expect(request.path).toBe('/v1/images/edits')
    const form = await formOf(request)
    const files = form.getAll('image[]') as File[]
    expect(await Promise.all(files.map(async (file) => Buffer.from(await file.arrayBuffer())))).toEqual([
      ...bytes,
    ])
    expect(files.map(({ type }) => type)).toEqual(['image/png', 'image/jpeg', 'image/webp'])
    expect(Buffer.from(await (form.get('mask') as File).arrayBuffer())).toEqual(mask)
    expect(Object.fromEntries([...form].filter(([, value]) => typeof value === 'string'))).toEqual({
      prompt: 'Make it blue',
      model: 'z-image',
      n: '1',
      size: '512x512',
      strength: '0.4',
      negative_prompt: 'people',
      response_format: 'b64_json',
    })
    const [asked, answered] = await itemsOf(conversationId, actor)
    expect(asked).toMatchObject({
      role: 'USER',
      content: [{ type: 'input_text' }, { type: 'input_image', image_url: id }, {}, {}],
    })
    expect(answered).toMatchObject({ type: 'image_edit_call', media: [{ id: made.images[0]?.media.id }] })
    expect(JSON.stringify([asked, answered])).not.toContain('base64')
  })

  it.each([
    [
      'that is nobody’s',
      { id: 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z' },
      { code: 'invalid_media_reference', param: 'image[0]' },
    ],
    ['that is not named', {}, { code: 'missing_parameter', param: 'image[0]' }],
    [
      'of the private network',
      { url: 'http://10.0.0.1/a.png' },
      { code: 'invalid_parameter', param: 'image[0]' },
    ],
    [
      'that is a page',
      { b64Json: Buffer.from('<html>').toString('base64') },
      { code: 'invalid_parameter', param: 'image[0]' },
    ],
  ])('%s are refused before anybody is asked', async (_what, image, error) => {
    const before = fake.requests.length
    expect(await failure(edit({ prompt: 'x', images: [image] }, someActor()))).toMatchObject(error)
    expect(fake.requests).toHaveLength(before)
  })

  it('never show the image of another', async () => {
    const id = await createMedia(await testImage(), someActor())
    expect(await failure(edit({ prompt: 'x', images: [{ id }] }, someActor()))).toMatchObject({
      code: 'invalid_media_reference',
    })
  })
})

describe('where nobody makes images', () => {
  it('the built-in provider draws the prompt, or over an image', async () => {
    const bare = await startTestGraph({ DEVELOPMENT_MODEL: 'true' })
    try {
      const actor = someActor()
      const made = await make({ prompt: 'A red <kite> & a dog', n: 2, size: '512x512' }, actor, bare)
      expect(made.images.map(({ media }) => media)).toMatchObject([
        { mimeType: 'image/png', width: 512 },
        { mimeType: 'image/png', width: 512 },
      ])
      expect(made.images[0]?.media.id).not.toBe(made.images[1]?.media.id)
      const drawn = Buffer.from(made.images[0]?.b64Json ?? '', 'base64')
      const { channels } = await sharp(drawn).stats()
      // letters are white on a shade
      expect(channels.map(({ max }) => max)).toEqual([255, 255, 255])
      const other = await make({ prompt: 'A blue kite', size: '512x512' }, actor, bare)
      expect(other.images[0]?.b64Json).not.toBe(made.images[0]?.b64Json)
      const image = { b64Json: (await testImage('jpeg', 300)).toString('base64') }
      const edited = await edit({ prompt: 'Bluer', images: [image] }, actor, bare)
      expect(edited.images).toMatchObject([{ media: { width: 300, mimeType: 'image/png' } }])
    } finally {
      await bare.stop()
    }
  })

  it('is said so where that is off, and where all of it is', async () => {
    const none = await startTestGraph({ DEVELOPMENT_MODEL: 'false' })
    const off = await startTestGraph({ IMAGE_GENERATION_ENABLED: 'false' })
    try {
      expect(await failure(make({ prompt: 'x' }, someActor(), none))).toMatchObject({ code: 'not_found' })
      expect(await failure(make({ prompt: 'x' }, someActor(), off))).toMatchObject({
        code: 'not_implemented',
      })
    } finally {
      await none.stop()
      await off.stop()
    }
  })
})
