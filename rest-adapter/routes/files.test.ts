import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { memoryRateLimitStore } from '../../platform/edge-stores/memory-rate-limit-store.ts'
import { AppError } from '../../platform/errors.ts'
import type { Graph } from '../../platform/graph.ts'
import { createLogger } from '../../platform/log.ts'
import { noMetrics } from '../../platform/metrics/metrics.ts'
import { createSignedLinks, type ObjectStore } from '../../platform/object-store/index.ts'
import { openLocalStore } from '../../platform/object-store/local-store.ts'
import { openS3Store } from '../../platform/object-store/s3-store.ts'
import { type S3Server, startS3Server } from '../../platform/testing/s3-server.ts'
import { noTracing } from '../../platform/tracing/tracing.ts'
import { createApp } from '../app.ts'
import { pathFamilies } from '../middleware/path-families.ts'
import { rateLimits } from '../rate-limits/index.ts'
import { requestScope } from '../request-scope.ts'
import { fileRoutes } from './files.ts'

const log = createLogger({ level: 'silent', format: 'json' })
const maxBytes = 1024 * 1024
const never = async () => {
  throw new Error('Nobody asks for this here.')
}

/** The routes of files alone, on a store of files. */
async function startFiles() {
  const folder = await mkdtemp(join(tmpdir(), 'jan-files-'))
  const server: Server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const links = createSignedLinks({ rootSecret: 'a root secret for tests only', baseUrl: `${url}/v1/files` })
  const store = openLocalStore({ folder, links, log })
  /** What the routes reach; a test may take its place for a while. */
  const bytes = { ...store }
  const limits = {
    profile: 'off',
    tierPerMinute: 600,
    guestLoginsPerHour: 0,
    store: memoryRateLimitStore(),
  } as const
  const graph: Graph = { execute: never, subscribe: never }
  const app = createApp({
    scope: requestScope({
      graph,
      authenticator: { authenticate: never },
      log,
      identityHeaders: () => new Map(),
    }),
    routes: fileRoutes,
    entrance: [pathFamilies],
    cors: { origins: [], allowSandbox: false },
    idempotency: { serve: never },
    limits: rateLimits(limits),
    files: {
      bytes,
      links,
      maxBytes,
      proxiesDownloads: true,
      thumbnails: { of: async () => null },
    },
    credentialsHint: '',
    trustedProxies: [],
    maxBodyBytes: maxBytes,
    log,
    metrics: noMetrics,
    tracing: noTracing,
    mounts: [],
  })
  server.on('request', app)
  return {
    folder,
    store,
    bytes,
    url,
    async stop() {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const bytesOf = (content: string) => Readable.from([Buffer.from(content)])
const stored = async (store: ObjectStore, key: string) => {
  const bytes = await store.read(key)
  return bytes && text(bytes)
}
const png = { contentType: 'image/png', expiresIn: 60 }
const put = (url: string, body: string, headers: Record<string, string> = { 'content-type': 'image/png' }) =>
  fetch(url, { method: 'PUT', body, headers })
/** The link with one of its parameters changed, or taken away. */
const changed = (link: string, name: string, value: string | null) => {
  const url = new URL(link)
  if (value === null) url.searchParams.delete(name)
  else url.searchParams.set(name, value)
  return url.href
}

let local: Awaited<ReturnType<typeof startFiles>>
let bucket: S3Server
beforeAll(async () => {
  local = await startFiles()
  bucket = await startS3Server()
})
afterAll(async () => {
  await local.stop()
  await bucket.stop()
})

const inBucket = () =>
  openS3Store({
    createBucket: false,
    ...bucket,
    region: 'us-east-1',
    publicEndpoint: bucket.endpoint,
    usePathStyle: true,
    log,
  })

describe.each([
  ['files', () => local.store],
  ['a bucket', inBucket],
])('a signed link to a store of %s', (_, open) => {
  let store: ObjectStore
  beforeAll(async () => {
    store = open()
    await store.write('images/jan_1.png', bytesOf('some bytes'), { contentType: 'image/png' })
  })

  it('downloads under the type and the name that were signed', async () => {
    const link = await store.signedGet('images/jan_1.png', {
      ...png,
      contentType: 'image/webp',
      filename: 'Käse "1".webp',
    })
    const answer = await fetch(link.url, { headers: link.headers })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('some bytes')
    expect(answer.headers.get('content-type')).toBe('image/webp')
    expect(answer.headers.get('content-disposition')).toBe(
      `inline; filename="K_se _1_.webp"; filename*=UTF-8''K%C3%A4se%20%221%22.webp`,
    )
    expect(link.expiresAt).toBeGreaterThan(Date.now() + 50_000)
    expect(link.expiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
    expect(await (await fetch(link.url, { headers: { range: 'bytes=5-9' } })).text()).toBe('bytes')
  })

  it('uploads', async () => {
    for (const size of [undefined, 11]) {
      const link = await store.signedPut('images/up.png', { ...png, ...(size === undefined ? {} : { size }) })
      const answer = await put(link.url, 'uploaded it', link.headers)
      expect([answer.status, await answer.text()]).toEqual([200, ''])
      expect(await stored(store, 'images/up.png')).toBe('uploaded it')
      await store.delete(['images/up.png'])
    }
  })

  it('is good for no other method', async () => {
    const [get, upload] = [
      await store.signedGet('images/jan_1.png', png),
      await store.signedPut('images/2.png', png),
    ]
    expect((await put(get.url, 'replaced')).status).toBe(403)
    expect((await fetch(upload.url)).status).toBe(403)
    expect((await fetch(get.url, { method: 'DELETE' })).status).toBeGreaterThanOrEqual(400)
    expect(await stored(store, 'images/jan_1.png')).toBe('some bytes')
  })

  it('is good for no other key', async () => {
    const { url } = await store.signedGet('images/jan_1.png', png)
    await store.write('images/jan_9.png', bytesOf('private'), { contentType: 'image/png' })
    expect((await fetch(url.replace('jan_1.png', 'jan_9.png'))).status).toBe(403)
    const upload = await store.signedPut('images/2.png', png)
    expect((await put(upload.url.replace('/2.png', '/3.png'), 'x')).status).toBe(403)
    expect(await store.head('images/3.png')).toBeNull()
  })

  it('is good for no other type, and no other size', async () => {
    const { url } = await store.signedPut('images/2.png', { ...png, size: 4 })
    expect((await put(url, 'four', { 'content-type': 'text/html' })).status).toBe(403)
    expect((await put(url, 'five!')).status).toBe(403)
    expect((await put(url, 'two')).status).toBe(403)
    expect(await store.head('images/2.png')).toBeNull()
    expect((await put(url, 'four')).status).toBe(200)
    await store.delete(['images/2.png'])
  })

  it('is good for no longer than was said', async () => {
    const [get, upload] = [
      await store.signedGet('images/jan_1.png', { ...png, expiresIn: 1 }),
      await store.signedPut('images/2.png', { ...png, expiresIn: 1 }),
    ]
    await sleep(2_100)
    expect((await fetch(get.url)).status).toBe(403)
    expect((await put(upload.url, 'x')).status).toBe(403)
    expect(await store.head('images/2.png')).toBeNull()
  })

  it('to nothing is 404', async () => {
    expect((await fetch((await store.signedGet('images/none.png', png)).url)).status).toBe(404)
  })
})

describe('a link to a file', () => {
  const key = 'images/digits.png'
  let link: string
  beforeAll(async () => {
    await local.store.write(key, bytesOf('0123456789'), { contentType: 'image/png' })
    link = (await local.store.signedGet(key, { ...png, filename: 'digits.png' })).url
  })

  const refusal = async (answer: Response) => {
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    return { status: answer.status, code: error.code, message: error.message }
  }

  it.each([
    ['expires', '9999999999'],
    ['expires', '1e10'],
    ['expires', null],
    ['type', 'text/html'],
    ['type', null],
    ['filename', 'evil.exe'],
    ['filename', null],
    ['size', '10'],
    ['method', 'PUT'],
    ['method', null],
    ['signature', ''],
    ['signature', 'A'.repeat(43)],
    ['signature', null],
  ])('with another %s (%s) is refused, whether the file is there or not', async (name, value) => {
    const unknown = await local.store.signedGet('images/unknown.png', { ...png, filename: 'digits.png' })
    const answers = await Promise.all(
      [link, unknown.url].map(async (url) => refusal(await fetch(changed(url, name, value)))),
    )
    expect(answers[0]).toMatchObject({ status: 403, code: 'permission_denied' })
    expect(answers[1]).toEqual(answers[0])
  })

  it('without its last character, in another spelling, twice or of another platform is refused', async () => {
    const signature = new URL(link).searchParams.get('signature') ?? ''
    const last = signature.at(-1) ?? ''
    // The last character has two bits that say nothing: its neighbours decode to the same bytes.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const neighbour = alphabet[alphabet.indexOf(last) ^ 1] ?? ''
    const strangers = createSignedLinks({
      rootSecret: 'another root secret',
      baseUrl: `${local.url}/v1/files`,
    })
    const forged = strangers.sign({
      method: 'GET',
      key,
      expires: Math.floor(Date.now() / 1000) + 60,
      contentType: 'image/png',
      size: null,
      filename: null,
    })
    for (const url of [
      changed(link, 'signature', signature.slice(0, -1)),
      changed(link, 'signature', signature.slice(0, -1) + neighbour),
      forged,
      `${local.url}/v1/files/${key}`,
      `${local.url}/v1/files/..%2f..%2fetc/passwd?${new URL(link).searchParams}`,
    ])
      expect(await refusal(await fetch(url))).toMatchObject({ status: 403, code: 'permission_denied' })
    expect((await fetch(`${link}&method=PUT`)).status).toBe(400)
  })

  it('shows what it leads to and lets nothing run', async () => {
    const { headers } = await fetch(link)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-length': '10',
      'content-type': 'image/png',
      'accept-ranges': 'bytes',
      'content-disposition': 'inline; filename="digits.png"',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private',
    })
  })

  it('can’t be given a name that breaks out of its header', async () => {
    const { url } = await local.store.signedGet(key, { ...png, filename: 'a"; b\r\nX-Evil: 1 \\ \ud800.png' })
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-evil')).toBeNull()
    expect(answer.headers.get('content-disposition')).toBe(
      `inline; filename="a_; b__X-Evil: 1 _ _.png"; filename*=UTF-8''a%22%3B%20b%0D%0AX-Evil%3A%201%20%5C%20%EF%BF%BD.png`,
    )
  })

  it('tells by HEAD what GET would give', async () => {
    const answer = await fetch(link, { method: 'HEAD', headers: { range: 'bytes=1-2' } })
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '10'])
    expect(answer.headers.get('content-type')).toBe('image/png')
    expect((await fetch(changed(link, 'type', 'a/b'), { method: 'HEAD' })).status).toBe(403)
  })

  it.each([
    ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=3-6', 206, '3456', 'bytes 3-6/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=-100', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    ['lines=0-1', 200, '0123456789', null],
    ['nonsense', 200, '0123456789', null],
  ])('answers the range %s with %i', async (range, status, body, contentRange) => {
    const answer = await fetch(link, { headers: { range } })
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      status,
      body,
      contentRange,
    ])
  })

  it('tells of a range that lies behind the end', async () => {
    const answer = await fetch(link, { headers: { range: 'bytes=10-' } })
    expect(answer.headers.get('content-range')).toBe('bytes */10')
    expect(answer.headers.get('content-disposition')).toBeNull()
    expect(await refusal(answer)).toMatchObject({ status: 416, code: 'range_not_satisfiable' })
  })

  it('gives all of it where the part is wanted of another version', async () => {
    const answer = await fetch(link, { headers: { range: 'bytes=0-1', 'if-range': '"a-version"' } })
    expect([answer.status, await answer.text()]).toEqual([200, '0123456789'])
  })

  it('gives empty files', async () => {
    await local.store.write('empty', Readable.from([]), { contentType: 'image/png' })
    const answer = await fetch((await local.store.signedGet('empty', png)).url)
    expect([answer.status, await answer.text(), answer.headers.get('content-length')]).toEqual([200, '', '0'])
  })

  describe('while the store is in trouble', () => {
    afterEach(() => void Object.assign(local.bytes, local.store))
    const down = async (): Promise<never> => {
      throw new AppError('media_storage_failed', 'The media store can’t be reached.')
    }

    it('says so in the envelope, without what belongs to the file', async () => {
      local.bytes.read = down
      const answer = await fetch(link)
      expect(answer.headers.get('content-disposition')).toBeNull()
      expect(await refusal(answer)).toMatchObject({ status: 502, code: 'media_storage_failed' })
      local.bytes.head = down
      expect((await fetch(link)).status).toBe(502)
    })

    it.each(['01234', '0123456789 and more'])(
      'cuts the connection where %j comes for ten bytes',
      async (content) => {
        local.bytes.read = async () => bytesOf(content)
        await expect(fetch(link).then((answer) => answer.text())).rejects.toThrow()
      },
    )

    it('lets an upload come to its end before it says so', async () => {
      local.bytes.write = async (_key, bytes) => {
        await once(bytes, 'readable')
        bytes.destroy()
        return down()
      }
      const { url } = await local.store.signedPut('images/down.png', png)
      const answer = await put(url, 'x'.repeat(maxBytes))
      expect(await refusal(answer)).toMatchObject({ status: 502, code: 'media_storage_failed' })
      Object.assign(local.bytes, local.store)
      expect((await put(url, 'x')).status).toBe(200)
    })
  })

  it('stops reading when its client leaves', async () => {
    const size = 64 * 1024 * 1024
    const closed = Promise.withResolvers<void>()
    local.bytes.head = async () => ({ size })
    local.bytes.read = async (_key, { signal } = {}) => {
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(64 * 1024))
        },
      })
      endless.once('close', () => closed.resolve())
      endless.once('error', () => undefined)
      signal?.addEventListener('abort', () => endless.destroy())
      return endless
    }
    try {
      const leaving = new AbortController()
      const answer = await fetch(link, { signal: leaving.signal })
      await answer.body?.getReader().read()
      leaving.abort()
      await closed.promise
    } finally {
      Object.assign(local.bytes, local.store)
    }
  })
})

describe('an upload to a link', () => {
  let link: string
  beforeEach(async () => {
    link = (await local.store.signedPut('images/new.png', png)).url
  })
  afterEach(async () => {
    expect(await readdir(join(local.folder, '.incoming'))).toEqual([])
    await local.store.delete(['images/new.png'])
  })
  const code = async (answer: Response) => ((await answer.json()) as { error: { code: string } }).error.code
  const inChunks = (...chunks: string[]) => {
    const body = Readable.toWeb(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))
    const headers = { 'content-type': 'image/png' }
    return { method: 'PUT', headers, body: body as unknown as BodyInit, duplex: 'half' } as const
  }

  it('may come without its length', async () => {
    expect((await fetch(link, inChunks('one ', 'two'))).status).toBe(200)
    expect(await stored(local.store, 'images/new.png')).toBe('one two')
  })

  it('without its length is held against the size that was signed', async () => {
    const sized = (await local.store.signedPut('images/new.png', { ...png, size: 5 })).url
    for (const chunks of [['one'], ['one ', 'two']]) {
      const answer = await fetch(sized, inChunks(...chunks))
      expect([answer.status, await code(answer)]).toEqual([400, 'invalid_parameter'])
    }
    expect(await local.store.head('images/new.png')).toBeNull()
    expect((await fetch(sized, inChunks('on', 'e t'))).status).toBe(200)
  })

  it('that is too large is refused, told before or not, and leaves what was there', async () => {
    await put(link, 'as it was')
    const large = 'x'.repeat(maxBytes + 1)
    for (const answer of [
      await put(link, large),
      await fetch(link, inChunks(large.slice(0, maxBytes), 'x')),
      await fetch(link, inChunks(...Array.from({ length: 8 }, () => large))),
    ])
      expect([answer.status, await code(answer)]).toEqual([413, 'max_size_exceeded'])
    expect(await stored(local.store, 'images/new.png')).toBe('as it was')
    expect((await put(link, 'x'.repeat(maxBytes))).status).toBe(200)
  })

  it('that is compressed on the way is refused', async () => {
    const answer = await put(link, 'x', { 'content-type': 'image/png', 'content-encoding': 'gzip' })
    expect([answer.status, await code(answer)]).toEqual([415, 'unsupported_media_type'])
  })

  it('that breaks off leaves nothing', async () => {
    const { port, pathname, search } = new URL(link)
    const headers = { 'content-type': 'image/png', 'content-length': 1000 }
    const upload = httpRequest({ host: '127.0.0.1', port, path: pathname + search, method: 'PUT', headers })
    upload.once('error', () => undefined)
    upload.write('a part of it')
    for (let open: string[] = []; open.length === 0; await sleep(10))
      open = await readdir(join(local.folder, '.incoming'))
    upload.destroy()
    for (let open = ['?']; open.length > 0; await sleep(10))
      open = await readdir(join(local.folder, '.incoming'))
    expect(await local.store.head('images/new.png')).toBeNull()
  })
})
