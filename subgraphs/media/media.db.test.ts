import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { dataUrlOf, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

/** Asks the whole graph, as the platform does. */
async function ask<T>(text: string, variables: object, actor: Actor): Promise<T> {
  const context = test.contextFor(actor)
  return (await context.graph.execute(parse(text), variables as Record<string, unknown>, context)) as T
}

interface Media {
  readonly id: string
  readonly storageKey: string
}
interface Stored {
  readonly deduped: boolean
  readonly media: Media & Record<string, unknown>
}
const storedFields =
  '{ deduped media { id mimeType bytes width height sha256 filename storageKey retentionUntil link { url } } }'
const createText = `mutation ($input: CreateMediaInput!) { createMedia(input: $input) ${storedFields} }`
const create = async (actor: Actor, bytes: Buffer, input: object = {}) =>
  (await ask<{ createMedia: Stored }>(createText, { input: { dataUrl: dataUrlOf(bytes), ...input } }, actor))
    .createMedia
const read = async (actor: Actor, id: string) =>
  (await ask<{ media: Media | null }>('query ($id: ID!) { media(id: $id) { id storageKey } }', { id }, actor))
    .media
const remove = async (actor: Actor, ids: readonly string[]) =>
  (
    await ask<{ deleteMedia: { ids: string[]; failed: string[] } }>(
      'mutation ($ids: [ID!]!) { deleteMedia(ids: $ids) { ids failed } }',
      { ids },
      actor,
    )
  ).deleteMedia
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (thrown: { extensions: unknown }) => thrown.extensions,
  )

const rows = async (sql: string, ...values: unknown[]) =>
  (await test.services.database.pool.query(sql, values)).rows as Record<string, unknown>[]
const head = (key: string) => test.services.objects.head(key)
/** Waits until the sweeper has removed an object, and forgotten it. */
async function gone(key: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const waiting = await rows('select 1 from media.unclaimed_object where storage_key = $1', key)
    if ((await head(key)) === null && waiting.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${key} is still there`)
}

describe('an image', () => {
  it('is what its bytes are, whatever was said of them', async () => {
    const actor = someActor()
    const bytes = await testImage('webp', 12)
    const { deduped, media } = await create(actor, bytes, { filename: '../../etc/pass wd.png' })
    expect(deduped).toBe(false)
    expect(media).toMatchObject({
      mimeType: 'image/webp',
      bytes: bytes.length,
      width: 12,
      height: 12,
      filename: 'pass wd.png',
      link: { url: expect.stringMatching(/^https?:/) },
    })
    expect(media.id).toMatch(/^jan_[0-9a-hjkmnp-tv-z]{26}$/)
    expect(media.storageKey).toMatch(/^images\/[0-9a-z]{26}\.webp$/)
    expect(await head(media.storageKey)).toMatchObject({ size: bytes.length })
  })

  it('may have more metadata than is kept of its beginning: the rest is read from the store', async () => {
    const photo = await testImage('jpeg', 12)
    const profile = Buffer.concat([Buffer.from([0xff, 0xe2, 0xff, 0xff]), Buffer.alloc(65_533)])
    const bytes = Buffer.concat([photo.subarray(0, 2), profile, profile, photo.subarray(2)])
    const { media } = await create(someActor(), bytes)
    expect(media).toMatchObject({ mimeType: 'image/jpeg', bytes: bytes.length, width: 12, height: 12 })
  })

  it('has one id for the same bytes of the same owner, however many come at once', async () => {
    const actor = someActor()
    const bytes = await testImage()
    const all = await Promise.all(Array.from({ length: 12 }, () => create(actor, bytes)))
    expect(new Set(all.map(({ media }) => media.id)).size).toBe(1)
    expect(all.filter(({ deduped }) => !deduped)).toHaveLength(1)
    const [first] = all
    expect(await head(first?.media.storageKey ?? '')).not.toBeNull()
    const other = await create(someActor(), bytes)
    expect(other.deduped).toBe(false)
    expect(other.media.id).not.toBe(first?.media.id)
  })

  it('has one id also where another process stores the same bytes at this very moment', async () => {
    const actor = someActor()
    const bytes = await testImage()
    const other = await test.services.database.pool.connect()
    await other.query('begin')
    await other.query("insert into media.unclaimed_object values ($1, now() + interval '1 hour')", [actor.id])
    await other.query("select media.claim_object($1, $2, $3, 'image/png', $4, $5, 8, 8, null, null, false)", [
      'jan_00000000000000000000000001',
      actor.id,
      actor.id,
      bytes.length,
      createHash('sha256').update(bytes).digest(),
    ])
    const mine = create(actor, bytes)
    const waiting =
      'select 1 from pg_stat_activity where datname = current_database() and wait_event_type = $1'
    while ((await rows(waiting, 'Lock')).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await other.query('commit')
    other.release()
    expect(await mine).toMatchObject({ deduped: true, media: { id: 'jan_00000000000000000000000001' } })
  })

  it('is its owner’s alone', async () => {
    const owner = someActor()
    const { media } = await create(owner, await testImage())
    const stranger = someActor()
    expect(await read(owner, media.id.toUpperCase())).toMatchObject({ id: media.id })
    expect(await read(stranger, media.id)).toBeNull()
    expect(await remove(stranger, [media.id])).toEqual({ ids: [], failed: [media.id] })
    const { resolveMedia } = await ask<{ resolveMedia: object }>(
      'query ($ids: [ID!]!) { resolveMedia(ids: $ids) { media { id } missing } }',
      { ids: [media.id, 'jan_nonsense'] },
      stranger,
    )
    expect(resolveMedia).toEqual({ media: [], missing: [media.id, 'jan_nonsense'] })
  })

  it('goes with its bytes', async () => {
    const actor = someActor()
    const { media } = await create(actor, await testImage())
    expect(await remove(actor, [media.id])).toEqual({ ids: [media.id], failed: [] })
    expect(await read(actor, media.id)).toBeNull()
    await gone(media.storageKey)
  })

  it.each<[string, () => Promise<object> | object, object]>([
    ['no source', () => ({}), { code: 'missing_parameter', param: 'source' }],
    [
      'two sources',
      () => ({ dataUrl: 'data:image/png;base64,', remoteUrl: 'http://example.org/' }),
      { code: 'invalid_parameter', param: 'source' },
    ],
    ['no data URL', () => ({ dataUrl: 'hello' }), { code: 'invalid_parameter', param: 'data_url' }],
    [
      'no base64',
      () => ({ dataUrl: 'data:image/png;base64,!!!!' }),
      { code: 'invalid_parameter', param: 'data_url' },
    ],
    [
      'blanks that lead to something else: an expression that turns back at each of them would take minutes',
      () => ({ dataUrl: `data:image/png;base64,${' '.repeat(500_000)}!` }),
      { code: 'invalid_parameter', param: 'data_url' },
    ],
    [
      'padding in the middle',
      () => ({ dataUrl: 'data:image/png;base64,iVBO==iVBO' }),
      { code: 'invalid_parameter', param: 'data_url' },
    ],
    [
      'no bytes',
      () => ({ dataUrl: 'data:image/png;base64,' }),
      { code: 'invalid_parameter', param: 'data_url' },
    ],
    [
      'a drawing that can hold scripts',
      () => ({ dataUrl: dataUrlOf(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')) }),
      { code: 'invalid_parameter', param: 'data_url' },
    ],
    [
      'half an image',
      async () => ({ dataUrl: dataUrlOf((await testImage('png', 64)).subarray(0, -20)) }),
      { code: 'invalid_parameter', param: 'data_url' },
    ],
    [
      'an address of this machine',
      () => ({ remoteUrl: 'http://127.0.0.1:1/x.png' }),
      { code: 'invalid_parameter', param: 'url' },
    ],
    [
      'a name of many letters',
      async () => ({ dataUrl: dataUrlOf(await testImage()), filename: 'x'.repeat(256) }),
      { code: 'invalid_parameter', param: 'filename' },
    ],
  ])('of %s is refused, and nothing is kept', async (_what, input, expected) => {
    const actor = someActor()
    expect(await refusal(ask(createText, { input: await input() }, actor))).toMatchObject(expected)
    expect(await rows('select * from media.media where owner_id = $1', actor.id)).toEqual([])
  })
})

interface Prepared {
  readonly id: string
  readonly headers: Record<string, string>
}
async function prepare(actor: Actor, input: object = {}): Promise<Prepared> {
  const text =
    'mutation ($input: PrepareMediaUploadInput!) { prepareMediaUpload(input: $input) { id url headers expiresAt } }'
  const variables = { input: { contentType: 'image/png', ...input } }
  return (await ask<{ prepareMediaUpload: Prepared }>(text, variables, actor)).prepareMediaUpload
}
/** What the link of a prepared upload does. */
async function put({ id }: Prepared, bytes: Buffer): Promise<void> {
  const { Readable } = await import('node:stream')
  await test.services.objects.write(`uploads/${id}`, Readable.from([bytes]), { contentType: 'image/png' })
}
const complete = async (actor: Actor, id: string) =>
  (
    await ask<{ completeMediaUpload: Stored }>(
      `mutation ($id: ID!) { completeMediaUpload(id: $id) ${storedFields} }`,
      { id },
      actor,
    )
  ).completeMediaUpload

describe('a prepared upload', () => {
  it('is there when its bytes have come and somebody asks for it', async () => {
    const actor = someActor()
    const upload = await prepare(actor, { filename: 'later.png' })
    expect(await read(actor, upload.id)).toBeNull()
    const bytes = await testImage()
    await put(upload, bytes)
    expect(await read(someActor(), upload.id)).toBeNull()
    const media = await read(actor, upload.id)
    expect(media).toMatchObject({ id: upload.id })
    expect(media?.storageKey).not.toContain(upload.id)
    expect(await complete(actor, upload.id)).toMatchObject({
      media: { id: upload.id, filename: 'later.png' },
    })
  })

  it('keeps its id also where the owner has these bytes, and shares them', async () => {
    const actor = someActor()
    const bytes = await testImage()
    const { media: first } = await create(actor, bytes)
    const upload = await prepare(actor)
    await put(upload, bytes)
    const { deduped, media: second } = await complete(actor, upload.id)
    expect(deduped).toBe(true)
    expect(second).toMatchObject({ id: upload.id, storageKey: first.storageKey })
    await remove(actor, [first.id])
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await head(first.storageKey)).not.toBeNull()
    await remove(actor, [second.id])
    await gone(first.storageKey)
  })

  it('is what these bytes are found under, once the media that had them first is gone', async () => {
    const actor = someActor()
    const bytes = await testImage()
    const { media: first } = await create(actor, bytes)
    const [second, third] = [await prepare(actor), await prepare(actor)]
    for (const upload of [second, third]) {
      await put(upload, bytes)
      await complete(actor, upload.id)
    }
    await remove(actor, [first.id])
    expect(await create(actor, bytes)).toMatchObject({ deduped: true, media: { id: second.id } })
    await remove(actor, [second.id])
    expect(await create(actor, bytes)).toMatchObject({ deduped: true, media: { id: third.id } })
    await remove(actor, [third.id])
    await gone(first.storageKey)
    expect(await create(actor, bytes)).toMatchObject({ deduped: false })
  })

  it('that is no image is missing among others, and what is there is resolved', async () => {
    const actor = someActor()
    const { media } = await create(actor, await testImage())
    const resolve = async (text: string, variables: object) =>
      ask<{ resolved: object }>(text, variables as Record<string, unknown>, actor)
    for (const [text, name, missing] of [
      [
        'query ($value: [ID!]!) { resolved: resolveMedia(ids: $value) { media { id } missing } }',
        'media',
        [{ id: media.id }],
      ],
      [
        'query ($value: JSON!) { resolved: resolveMediaPayload(payload: $value) { payload missing } }',
        'payload',
        [expect.stringMatching(/^http/)],
      ],
    ] as const) {
      const upload = await prepare(actor)
      await put(upload, Buffer.from('<html>'))
      const { resolved } = await resolve(text, { value: [media.id, upload.id] })
      const expected = name === 'payload' ? [...missing, upload.id] : missing
      expect(resolved).toEqual({ [name]: expected, missing: [upload.id] })
    }
  })

  it('stays the media that it has become, though other bytes come meanwhile', async () => {
    const actor = someActor()
    const prepared = await prepare(actor)
    await put(prepared, await testImage())
    const { objects } = test.services
    const spied = jest.spyOn(objects, 'head').mockImplementationOnce(async (key) => {
      await complete(actor, prepared.id)
      await put(prepared, Buffer.from('<html>'))
      return objects.head(key)
    })
    expect(await refusal(complete(actor, prepared.id))).toMatchObject({ code: 'invalid_parameter' })
    spied.mockRestore()
    expect(await read(actor, prepared.id)).toMatchObject({ id: prepared.id })
  })

  it('is completed with a few others at once, and not with all of them', async () => {
    const actor = someActor()
    const uploads = await Promise.all(Array.from({ length: 12 }, () => prepare(actor)))
    for (const upload of uploads) await put(upload, await testImage())
    const { objects } = test.services
    const { write } = objects
    let [writing, most] = [0, 0]
    const spied = jest.spyOn(objects, 'write').mockImplementation(async (...given) => {
      most = Math.max(most, ++writing)
      await new Promise((resolve) => setTimeout(resolve, 20))
      return write(...given).finally(() => writing--)
    })
    const text = 'query ($ids: [ID!]!) { resolveMedia(ids: $ids) { missing } }'
    const ids = uploads.map(({ id }) => id)
    expect(await ask(text, { ids }, actor)).toEqual({ resolveMedia: { missing: [] } })
    spied.mockRestore()
    expect(most).toBeLessThanOrEqual(4)
  })

  it('is completed once, however many ask at once', async () => {
    const actor = someActor()
    const upload = await prepare(actor)
    await put(upload, await testImage())
    const all = await Promise.all(Array.from({ length: 6 }, () => read(actor, upload.id)))
    expect(new Set(all.map((media) => media?.storageKey)).size).toBe(1)
    const [media] = all
    expect(await head(media?.storageKey ?? '')).not.toBeNull()
    const unclaimed = await rows(
      "select * from media.unclaimed_object where storage_key like 'images/%' and due_at > now()",
    )
    expect(unclaimed).toEqual([])
  })

  it.each<[string, object, (bytes: Buffer) => Buffer | Promise<Buffer>]>([
    ['of another type', {}, () => testImage('jpeg')],
    ['of another size', { bytes: 10 }, (bytes) => bytes],
    ['that are no image', {}, () => Buffer.from('<html><script>alert(1)</script></html>')],
    ['that are cut off', {}, (bytes) => bytes.subarray(0, -8)],
  ])('with bytes %s is refused and forgotten', async (_what, promise, change) => {
    const actor = someActor()
    const upload = await prepare(actor, promise)
    await put(upload, await change(await testImage('png', 64)))
    expect(await refusal(complete(actor, upload.id))).toMatchObject({
      code: 'invalid_parameter',
      param: 'file',
    })
    expect(await refusal(complete(actor, upload.id))).toMatchObject({ code: 'media_not_found' })
    expect(await read(actor, upload.id)).toBeNull()
  })

  it.each([
    [{ contentType: 'image/svg+xml' }, { code: 'invalid_parameter', param: 'content_type' }],
    [{ bytes: 0 }, { code: 'invalid_parameter', param: 'bytes' }],
    [{ bytes: 20_971_521 }, { code: 'max_size_exceeded', param: 'bytes' }],
  ])('of %j is not given', async (input, expected) => {
    expect(await refusal(prepare(someActor(), input))).toMatchObject(expected)
  })
})

describe('what no media claims', () => {
  it('is removed when it is due, and can’t be claimed any more', async () => {
    const { Readable } = await import('node:stream')
    const key = 'images/00000000000000000000000000.png'
    await rows("insert into media.unclaimed_object values ($1, now() + interval '1 hour')", key)
    await test.services.objects.write(key, Readable.from([await testImage()]), { contentType: 'image/png' })
    // a process that dies here leaves just this
    await rows('update media.unclaimed_object set due_at = now() where storage_key = $1', key)
    const actor = someActor()
    await remove(actor, [(await create(actor, await testImage())).media.id])
    await gone(key)
    const claim = rows(
      "select media.claim_object('jan_00000000000000000000000000', $1, $2, 'image/png', 1, '\\x00', 1, 1, null, null, false)",
      actor.id,
      key,
    )
    await expect(claim).rejects.toThrow('was given up')
  })
})

describe('an image whose time is over', () => {
  it('goes where no conversation names it, and stays where one does', async () => {
    const actor = someActor()
    const named = await create(actor, await testImage())
    const forgotten = await create(actor, await testImage())
    const deleted = await create(actor, await testImage())
    const say = async (id: string) => {
      const input = {
        items: [{ type: 'message', role: 'user', content: [{ type: 'input_image', image_url: id }] }],
      }
      const text = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }'
      return (await ask<{ createConversation: { id: string } }>(text, { input }, actor)).createConversation.id
    }
    await say(named.media.id)
    await ask(
      'mutation ($id: ID!) { deleteConversation(id: $id) { id } }',
      { id: await say(deleted.media.id) },
      actor,
    )
    await rows(
      "update media.media set retention_until = now() - interval '1 day' where owner_id = $1",
      actor.id,
    )
    await remove(actor, [(await create(actor, await testImage())).media.id])
    await gone(forgotten.media.storageKey)
    await gone(deleted.media.storageKey)
    expect(await read(actor, forgotten.media.id)).toBeNull()
    const [kept] = await rows(
      "select retention_until > now() + interval '29 days' as later from media.media where public_id = $1",
      named.media.id,
    )
    expect(kept).toEqual({ later: true })
    expect(await head(named.media.storageKey)).not.toBeNull()
  })
})

describe('a value', () => {
  const resolveText = 'query ($payload: JSON!) { resolveMediaPayload(payload: $payload) { payload missing } }'
  const resolve = async (actor: Actor, payload: unknown) =>
    (
      await ask<{ resolveMediaPayload: { payload: unknown; missing: string[] } }>(
        resolveText,
        { payload },
        actor,
      )
    ).resolveMediaPayload

  it('gets a link in the place of each id, in every spelling, and nothing else of it changes', async () => {
    const actor = someActor()
    const { media } = await create(actor, await testImage())
    const link = expect.stringMatching(/^https?:.*signature=/)
    const unknown = 'jan_00000000000000000000000000'
    const untouched = { n: 1, f: 0.5, t: true, z: null, s: `see ${media.id}`, deep: [[{ '': [] }]] }
    const { payload, missing } = await resolve(actor, {
      a: media.id,
      b: [`data:image/png;${media.id}`, { c: `data:image/webp;base64,${media.id.toUpperCase()}` }],
      unknown,
      untouched,
    })
    expect(payload).toEqual({ a: link, b: [link, { c: link }], unknown, untouched })
    expect(missing).toEqual([unknown])
  })

  it('of 100 media is looked up by one statement, and by two more where some are unknown', async () => {
    const actor = someActor()
    const ids = Array.from({ length: 100 }, (_, at) => `jan_${String(at).padStart(26, '0')}`)
    const { media } = await create(actor, await testImage())
    test.takeStatements()
    const { missing } = await resolve(actor, { ids: [...ids.slice(1), media.id] })
    expect(missing).toHaveLength(99)
    const statements = test.takeStatements()
    // the second looks whether the unknown ones are prepared uploads, the third whether somebody completed them meanwhile
    expect(statements).toHaveLength(3)
    const { payload } = await resolve(actor, { ids: Array.from({ length: 100 }, () => media.id) })
    expect((payload as { ids: string[] }).ids.every((url) => url.includes('signature='))).toBe(true)
    expect(test.takeStatements()).toHaveLength(1)
  })
})

it('lists an owner’s media by pages', async () => {
  const actor = someActor()
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) ids.push((await create(actor, await testImage())).media.id)
  const text = `query ($after: String, $order: SortOrder) {
    mediaList(first: 2, after: $after, order: $order) { nodes { id } totalCount pageInfo { hasNextPage endCursor } }
  }`
  const walk = async (order: string) => {
    const seen: string[] = []
    for (let after: string | null = null, more = true; more; ) {
      const {
        mediaList,
      }: {
        mediaList: {
          nodes: Media[]
          totalCount: number
          pageInfo: { hasNextPage: boolean; endCursor: string }
        }
      } = await ask(text, { after, order }, actor)
      expect(mediaList.totalCount).toBe(5)
      seen.push(...mediaList.nodes.map(({ id }) => id))
      after = mediaList.pageInfo.endCursor
      more = mediaList.pageInfo.hasNextPage
    }
    return seen
  }
  expect(await walk('ASC')).toEqual(ids)
  expect(await walk('DESC')).toEqual(ids.toReversed())
  expect(await refusal(ask(text, { after: 'jan_00000000000000000000000000' }, actor))).toMatchObject({
    code: 'invalid_cursor',
  })
})
