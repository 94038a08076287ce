import { beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { dataUrlOf, noisyImage, testImage } from '../platform/testing/test-image.ts'
import { guest, send, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
let openai: OpenAI
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: client.token, maxRetries: 0 })
}, 60_000)

interface Listed {
  readonly created: number
  readonly data: { id: string; url?: string; b64_json?: string }[]
  readonly usage: object
}
const errorOf = (text: string) =>
  (JSON.parse(text) as { error: { code: string; param: string | null } }).error
const sizeOf = async (bytes: Buffer) => {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}
const linked = async (url = '') => Buffer.from(await (await fetch(url)).arrayBuffer())

describe('POST /v1/images/generations', () => {
  it('gives the SDK links to images that are kept', async () => {
    const made = await openai.images.generate({
      model: 'z-image',
      prompt: 'A lighthouse',
      n: 2,
      size: '512x512',
    })
    expect(made.usage).toMatchObject({ total_tokens: expect.any(Number) })
    expect(made).toMatchObject({ size: '512x512', output_format: 'png' })
    const data = made.data as Listed['data']
    expect(new Set(data.map(({ id }) => id)).size).toBe(2)
    for (const { id, url, b64_json } of data) {
      expect(b64_json).toBeUndefined()
      expect(await sizeOf(await linked(url))).toEqual({ width: 512, height: 512, format: 'png' })
      expect((await client.get(`/v1/media/${id}?metadata=true`)).json()).toMatchObject({ id, width: 512 })
    }
  })

  it('gives bytes where they are asked for', async () => {
    const made = await openai.images.generate({
      prompt: 'A boat',
      size: '256x256',
      response_format: 'b64_json',
    })
    const [image] = made.data as Listed['data']
    expect(image?.url).toBeUndefined()
    expect(await sizeOf(Buffer.from(image?.b64_json ?? '', 'base64'))).toMatchObject({ width: 256 })
    expect(image?.id).toMatch(/^jan_/)
  })

  it('puts prompt and image into the conversation', async () => {
    const { id } = (await client.post('/v1/conversations', { title: 'Boats' })).json<{ id: string }>()
    const made = await client.post('/v1/images/generations', {
      prompt: 'A boat',
      size: '256x256',
      conversation_id: id,
    })
    const picture = made.json<Listed>().data[0]?.id
    const items = (await client.get(`/v1/conversations/${id}/items?order=asc`)).json<{ data: object[] }>()
    expect(items.data).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'A boat' }] },
      {
        type: 'image_generation_call',
        status: 'completed',
        content: [{ type: 'image', image_url: picture, file_id: picture }],
      },
    ])
  })

  it('is done once for one idempotency key', async () => {
    const headers = { ...client.headers, 'idempotency-key': 'one-boat' }
    const json = { prompt: 'A boat', size: '256x256' }
    const ask = () => send(`${server.url}/v1/images/generations`, { method: 'POST', headers, json })
    const [first, second] = [await ask(), await ask()]
    expect(second.text).toBe(first.text)
  })

  it.each([
    ['without a prompt', {}, 400, { code: 'missing_parameter', param: 'prompt' }],
    ['with an empty prompt', { prompt: '' }, 400, { code: 'invalid_parameter', param: 'prompt' }],
    [
      'with a size of its own',
      { prompt: 'x', size: '31x12' },
      400,
      { code: 'invalid_parameter', param: 'size' },
    ],
    ['with too many', { prompt: 'x', n: 5 }, 400, { code: 'invalid_parameter', param: 'n' }],
    ['as a stream', { prompt: 'x', stream: true }, 400, { code: 'invalid_parameter', param: 'stream' }],
    [
      'by a foreign provider',
      { prompt: 'x', provider_id: 'p' },
      404,
      { code: 'not_found', param: 'provider_id' },
    ],
    [
      'into a foreign conversation',
      { prompt: 'x', conversation_id: 'conv_0000000000000000' },
      404,
      { code: 'conversation_not_found', param: 'conversation_id' },
    ],
  ])('%s is refused', async (_what, body, status, error) => {
    const answer = await client.post('/v1/images/generations', body)
    expect({ status: answer.status, error: errorOf(answer.text) }).toMatchObject({ status, error })
  })

  it('is nothing for who has no credential', async () => {
    const answer = await send(`${server.url}/v1/images/generations`, {
      method: 'POST',
      json: { prompt: 'x' },
    })
    expect(answer.status).toBe(401)
  })
})

describe('POST /v1/images/edits', () => {
  it('takes files of the SDK and gives bytes', async () => {
    const image = await toFile(await testImage('png', 64), 'a.png', { type: 'image/png' })
    const mask = await toFile(await testImage('png', 64), 'mask.png', { type: 'image/png' })
    const made = await openai.images.edit({ image, mask, prompt: 'Make it night', model: 'z-image', n: 2 })
    expect(made.data).toHaveLength(2)
    expect(await sizeOf(Buffer.from(made.data?.[0]?.b64_json ?? '', 'base64'))).toEqual({
      width: 64,
      height: 64,
      format: 'png',
    })
  })

  it('takes several files, and gives links', async () => {
    const image = await Promise.all([1, 2].map(async (at) => toFile(await testImage(), `${at}.png`)))
    const made = await openai.images.edit({
      image,
      prompt: 'Join them',
      response_format: 'url',
      size: '256x256',
    })
    expect(await sizeOf(await linked(made.data?.[0]?.url))).toMatchObject({ width: 256 })
  })

  it.each([
    ['an id', async (id: string) => ({ id })],
    ['an id as a text', async (id: string) => id],
    ['an id as chats spell it', async (id: string) => `data:image/png;${id}`],
    ['a data URL', async () => ({ url: dataUrlOf(await testImage()) })],
    ['base64', async () => (await testImage()).toString('base64')],
    ['OpenAI’s word for an id', async (id: string) => [{ file_id: id }]],
    ['OpenAI’s word for a URL', async () => ({ image_url: dataUrlOf(await testImage()) })],
  ])('takes JSON with %s', async (_what, imageOf) => {
    const source = { type: 'data_url', data_url: dataUrlOf(await testImage()) }
    const { id } = (await client.post('/v1/media', { source })).json<{ id: string }>()
    const answer = await client.post('/v1/images/edits', { prompt: 'Night', image: await imageOf(id) })
    expect(answer.json<Listed>().data).toMatchObject([{ id: expect.stringMatching(/^jan_/) }])
  })

  it.each([
    [
      'a data URL in capitals',
      async () => ({ url: dataUrlOf(await testImage()).replace('data:', 'DATA:') }),
      null,
    ],
    [
      'an id without an end',
      async () => ({ id: `jan_${'x'.repeat(100_000)}` }),
      { code: 'invalid_media_reference', message: 'image is not the id of a media.' },
    ],
    [
      'what is no base64',
      async () => ({ b64_json: '<html>' }),
      { code: 'invalid_parameter', param: 'image', message: 'image is not base64.' },
    ],
    [
      'an image that breaks off in the middle',
      async () => (await noisyImage(64)).fill(7, 2_000, 9_000).toString('base64'),
      { code: 'invalid_parameter', param: 'image' },
    ],
  ])('of JSON with %s', async (_what, imageOf, error) => {
    const answer = await client.post('/v1/images/edits', { prompt: 'Night', image: await imageOf() })
    expect(answer.status).toBe(error === null ? 200 : 400)
    if (error) expect(errorOf(answer.text)).toMatchObject(error)
  })

  it('takes JSON with a list of images, as OpenAI has it', async () => {
    const images = [{ image_url: dataUrlOf(await testImage()) }, { image_url: dataUrlOf(await testImage()) }]
    const answer = await client.post('/v1/images/edits', { prompt: 'Night', images })
    expect(answer.json<Listed>().data).toHaveLength(1)
    const bad = await client.post('/v1/images/edits', { prompt: 'Night', images: [{ file_id: 'jan_x' }] })
    expect(errorOf(bad.text)).toMatchObject({ code: 'invalid_media_reference', param: 'image[0]' })
  })

  it('keeps image and result in the conversation', async () => {
    const { id } = (await client.post('/v1/conversations', { title: 'Nights' })).json<{ id: string }>()
    const form = new FormData()
    form.set('prompt', 'Night')
    form.set('conversation_id', id)
    form.set('image', new Blob([new Uint8Array(await testImage())]), 'a.png')
    const answer = await send(`${server.url}/v1/images/edits`, {
      method: 'POST',
      headers: client.headers,
      body: form,
    })
    const items = (await client.get(`/v1/conversations/${id}/items?order=asc`)).json<{ data: object[] }>()
    expect(items.data).toMatchObject([
      {
        role: 'user',
        content: [{ type: 'input_text' }, { type: 'input_image', file_id: expect.any(String) }],
      },
      { type: 'image_edit_call', content: [{ file_id: answer.json<Listed>().data[0]?.id }] },
    ])
  })

  const form = (fields: Record<string, string | Blob>) => {
    const data = new FormData()
    for (const [name, value] of Object.entries(fields)) data.append(name, value)
    return data
  }
  it('is done once for one idempotency key of a form, whatever stands between its parts', async () => {
    const image = new Blob([new Uint8Array(await testImage('png', 40))])
    const ask = (prompt: string, key = 'one-night') =>
      send(`${server.url}/v1/images/edits`, {
        method: 'POST',
        headers: { ...client.headers, 'idempotency-key': key },
        body: form({ prompt, image }),
      })
    const [first, second] = [await ask('Night'), await ask('Night')]
    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([200, null])
    expect([second.text, second.headers.get('idempotent-replayed')]).toEqual([first.text, 'true'])
    const other = await ask('Day')
    expect([other.status, errorOf(other.text)?.code]).toEqual([409, 'idempotency_conflict'])
    const long = await ask('Night', 'k'.repeat(256))
    expect([long.status, errorOf(long.text)?.param]).toEqual([400, 'Idempotency-Key'])
  })

  it.each([
    ['no image', { prompt: 'x' }, 400, { code: 'missing_parameter', param: 'image' }],
    ['no prompt', { image: new Blob([]) }, 400, { code: 'invalid_parameter', param: 'image' }],
    [
      'a page',
      { prompt: 'x', image: new Blob(['<html>']) },
      400,
      { code: 'invalid_parameter', param: 'image' },
    ],
    [
      'a page as its mask',
      { prompt: 'x', mask: new Blob(['<html>']) },
      400,
      { code: 'invalid_parameter', param: 'mask' },
    ],
    ['too much', { prompt: 'x', n: '5', image: 'jan_x' }, 400, { param: 'n' }],
    [
      'a count that is none',
      { prompt: 'x', n: 'two', image: 'jan_x' },
      400,
      { code: 'invalid_parameter', param: 'n' },
    ],
    [
      'an endless prompt',
      { prompt: 'x'.repeat(200_000) },
      400,
      { code: 'invalid_parameter', param: 'prompt' },
    ],
    [
      'a foreign image',
      { prompt: 'x', image: 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z' },
      400,
      { code: 'invalid_media_reference', param: 'image' },
    ],
  ])('refuses a form with %s', async (_what, fields, status, error) => {
    const answer = await send(`${server.url}/v1/images/edits`, {
      method: 'POST',
      headers: client.headers,
      body: form(fields as Record<string, string | Blob>),
    })
    expect({ status: answer.status, error: errorOf(answer.text) }).toMatchObject({ status, error })
  })

  const sendParts = (headers: readonly string[], body = 'x') =>
    send(`${server.url}/v1/images/edits`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'multipart/form-data; boundary=x' },
      body: `${headers.map((one) => `--x\r\nContent-Disposition: form-data${one}\r\n\r\n${body}\r\n`).join('')}--x--\r\n`,
    })
  const pngFile = async (name: string) =>
    [name, new Blob([new Uint8Array(await testImage())]), 'a.png'] as const
  const formOfFiles = async (names: readonly string[]) => {
    const data = new FormData()
    data.set('prompt', 'x')
    for (const name of names) data.append(...(await pngFile(name)))
    return data
  }
  const sendForm = async (body: FormData, owner = client) =>
    send(`${server.url}/v1/images/edits`, { method: 'POST', headers: owner.headers, body })

  it.each([
    ['a text without a name', ['']],
    ['a file without a name', ['; filename="a.png"']],
    ['a text with an empty name', ['; name=""']],
  ])('refuses a form with %s, and goes on', async (_what, headers) => {
    const { status, text } = await sendParts(['; name="prompt"', ...headers])
    expect([status, errorOf(text)]).toMatchObject([400, { code: expect.stringMatching(/_parameter$/) }])
    expect((await client.get('/healthz')).status).toBe(200)
  })

  it('refuses a form with one file too many, and one with more parts than are read', async () => {
    const files = await sendForm(await formOfFiles(Array.from({ length: 17 }, () => 'image[]')))
    expect([files.status, errorOf(files.text)]).toMatchObject([400, { param: 'image' }])
    const masks = await sendForm(await formOfFiles(['image', 'mask', 'mask']))
    expect([masks.status, errorOf(masks.text)]).toMatchObject([400, { param: 'mask' }])
    const texts = await sendParts(Array.from({ length: 41 }, (_, at) => `; name="field${at}"`))
    expect([texts.status, errorOf(texts.text)]).toMatchObject([
      400,
      { code: 'invalid_parameter', message: expect.stringContaining('at most 40') },
    ])
  })

  it('keeps no file of a field that takes none, whatever its name', async () => {
    const owner = await guest(server)
    const answer = await sendForm(await formOfFiles(['constructor', '__proto__', 'toString', 'other']), owner)
    expect(errorOf(answer.text)).toMatchObject({ code: 'missing_parameter', param: 'image' })
    expect((await owner.get('/v1/media')).json()).toMatchObject({ total: 0 })
  })

  it('takes a file that has a type and no name', async () => {
    const { status, text } = await sendParts(
      ['; name="prompt"', '; name="image"\r\nContent-Type: image/png'],
      'no image at all',
    )
    expect([status, errorOf(text)]).toMatchObject([
      400,
      { param: 'image', message: expect.stringContaining('type that is taken') },
    ])
  })

  it('refuses a file that is too large, and JSON that is none', async () => {
    const large = Buffer.concat([await testImage(), Buffer.alloc(22_000_000)])
    const body = form({ prompt: 'x', image: new Blob([new Uint8Array(large)]) })
    const answer = await send(`${server.url}/v1/images/edits`, {
      method: 'POST',
      headers: client.headers,
      body,
    })
    expect({ status: answer.status, error: errorOf(answer.text) }).toMatchObject({
      status: 413,
      error: { code: 'max_size_exceeded', param: 'image' },
    })
    const broken = await send(`${server.url}/v1/images/edits`, {
      method: 'POST',
      headers: { ...client.headers, 'content-type': 'application/json' },
      body: '{',
    })
    expect(errorOf(broken.text)).toMatchObject({ code: 'invalid_json' })
  })
})

describe('POST /v1/images/variations', () => {
  it('is not there, and says so', async () => {
    const image = await toFile(await testImage(), 'a.png')
    await expect(openai.images.createVariation({ image })).rejects.toMatchObject({
      status: 501,
      code: 'not_implemented',
      type: 'not_implemented_error',
    })
  })
})
