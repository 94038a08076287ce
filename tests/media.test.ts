import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import sharp from 'sharp'
import { type S3Server, startS3Server } from '../platform/testing/s3-server.ts'
import { dataUrlOf, noisyImage, testImage } from '../platform/testing/test-image.ts'
import { clientOf, guest, send, type TestClient } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

const bucketSettings = ({ endpoint, bucket, credentials }: S3Server) => ({
  MEDIA_S3_ENDPOINT: endpoint,
  MEDIA_S3_BUCKET: bucket,
  MEDIA_S3_ACCESS_KEY_ID: credentials.accessKeyId,
  MEDIA_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
})

describe.each(['files', 'a bucket'])('media in %s', (kind) => {
  let pictures: Server
  let served: Buffer
  let server: TestServer
  let bucket: S3Server | null
  let client: TestClient
  beforeAll(async () => {
    served = await testImage('jpeg', 16)
    pictures = createServer((request, response) => {
      if (request.url === '/away')
        return response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
      if (request.url === '/none') return response.writeHead(404).end('no')
      if (request.url === '/endless') {
        response.writeHead(200)
        const timer = setInterval(() => response.write(Buffer.alloc(1_000_000, served)), 1)
        response.on('close', () => clearInterval(timer))
        return response
      }
      return response.writeHead(200, { 'content-type': 'text/html' }).end(served)
    })
    await new Promise<void>((resolve) => pictures.listen(0, '127.0.0.1', resolve))
    bucket = kind === 'files' ? null : await startS3Server()
    server = await startTestServer({
      ...(bucket ? bucketSettings(bucket) : {}),
      OUTBOUND_ALLOW_HOSTS: `127.0.0.1:${(pictures.address() as AddressInfo).port}`,
    })
    client = await guest(server)
  }, 60_000)
  afterAll(async () => {
    await server.stop()
    await bucket?.stop()
    pictures.closeAllConnections()
    pictures.close()
  })

  interface Stored {
    readonly id: string
    readonly jan_id: string
    readonly mime: string
    readonly bytes: number
    readonly deduped: boolean
    readonly url: string
    readonly filename: string | null
  }
  const fromData = async (bytes: Buffer, by = client) =>
    (await by.post('/v1/media', { source: { type: 'data_url', data_url: dataUrlOf(bytes) } })).json<Stored>()
  const url = (path: string) => `${server.url}${path}`
  const fetchMedia = (id: string, init: RequestInit = {}) =>
    fetch(url(`/v1/media/${id}`), { ...init, headers: { ...client.headers, ...init.headers } })
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())
  const errorOf = (text: string) =>
    (JSON.parse(text) as { error: { code: string; param: string | null; message: string } }).error

  function form(bytes: Buffer, filename = 'a.png', name = 'file'): FormData {
    const data = new FormData()
    data.set('user_id', 'somebody')
    data.set(name, new Blob([new Uint8Array(bytes)]), filename)
    return data
  }
  const upload = (body: FormData, by = client) =>
    send(url('/media/v1/media/upload'), { method: 'POST', headers: by.headers, body })

  it('uploads a form once for one idempotency key', async () => {
    const keyed = (bytes: Buffer) =>
      send(url('/v1/media/upload'), {
        method: 'POST',
        headers: { ...client.headers, 'idempotency-key': 'one-upload' },
        body: form(bytes),
      })
    const bytes = await testImage('png', 21)
    const [first, second, other] = [
      await keyed(bytes),
      await keyed(bytes),
      await keyed(await testImage('png', 22)),
    ]
    expect(first.json()).toMatchObject({ deduped: false })
    expect([second.text, second.headers.get('idempotent-replayed')]).toEqual([first.text, 'true'])
    expect([other.status, errorOf(other.text).code]).toEqual([409, 'idempotency_conflict'])
  })

  describe('an image', () => {
    it('comes by data URL, by form and by URL, and has one id for the same bytes', async () => {
      const bytes = await testImage('png', 20)
      const first = await fromData(bytes)
      expect(first).toMatchObject({ mime: 'image/png', bytes: bytes.length, deduped: false })
      expect(first.id).toMatch(/^jan_[a-z0-9]{26}$/)
      const second = (await upload(form(bytes, 'näme "of" it.png'))).json<Stored>()
      expect(second).toMatchObject({ id: first.id, jan_id: first.id, deduped: true })
      const remote = await client.post('/v1/media', {
        source: {
          type: 'remote',
          url: `http://127.0.0.1:${(pictures.address() as AddressInfo).port}/cat.jpg`,
        },
      })
      expect(remote.json()).toMatchObject({ mime: 'image/jpeg', bytes: served.length, filename: 'cat.jpg' })
      const again = await send(url('/v1/media/upload'), {
        method: 'POST',
        headers: client.headers,
        json: { data_url: dataUrlOf(served) },
      })
      expect(again.json()).toMatchObject({ deduped: true, id: remote.json<Stored>().id })
    })

    it('is read as bytes, in ranges, and not again by who has it', async () => {
      const bytes = await noisyImage(64)
      const { id } = (await upload(form(bytes, 'noise.png'))).json<Stored>()
      const whole = await fetchMedia(id)
      expect(whole.status).toBe(200)
      expect(whole.headers.get('content-type')).toBe('image/png')
      expect(whole.headers.get('content-disposition')).toContain('inline; filename="noise.png"')
      expect(whole.headers.get('x-content-type-options')).toBe('nosniff')
      expect(whole.headers.get('content-security-policy')).toContain('sandbox')
      const etag = whole.headers.get('etag') ?? ''
      expect(etag).toBe(`"${createHash('sha256').update(bytes).digest('hex')}"`)
      expect((await bytesOf(whole)).equals(bytes)).toBe(true)

      const part = await fetchMedia(id, { headers: { range: 'bytes=100-199' } })
      expect(part.status).toBe(206)
      expect(part.headers.get('content-range')).toBe(`bytes 100-199/${bytes.length}`)
      expect((await bytesOf(part)).equals(bytes.subarray(100, 200))).toBe(true)
      const end = await fetchMedia(id, { headers: { range: 'bytes=-5', 'if-range': etag } })
      expect((await bytesOf(end)).equals(bytes.subarray(-5))).toBe(true)
      const stale = await fetchMedia(id, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })
      expect(stale.status).toBe(200)
      await stale.body?.cancel()
      const beyond = await fetchMedia(id, { headers: { range: `bytes=${bytes.length}-` } })
      expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`])
      expect((await fetchMedia(id, { headers: { 'if-none-match': etag } })).status).toBe(304)
      const head = await fetchMedia(id, { method: 'HEAD' })
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)])
    })

    it('is not made smaller where it would take gigabytes to decode', async () => {
      const background = { r: 1, g: 2, b: 3, alpha: 1 }
      const deep = sharp({ create: { width: 4_000, height: 4_000, channels: 4, background } })
      const bytes = await deep
        .toColourspace('rgb16')
        .png({ progressive: true, compressionLevel: 9 })
        .toBuffer()
      const { id } = (await upload(form(bytes))).json<Stored>()
      const refused = await client.get(`/v1/media/${id}?w=64`)
      expect([refused.status, errorOf(refused.text).param]).toEqual([400, 'w'])
      expect((await fetchMedia(id)).status).toBe(200)
    })

    it('is read in a smaller width, once for all who ask, and never larger than it is', async () => {
      const bytes = await noisyImage(600)
      const { id } = (await upload(form(bytes))).json<Stored>()
      const small = await fetchMedia(`${id}?w=200`)
      expect(small.status).toBe(200)
      const { width, height, format } = await sharp(await bytesOf(small)).metadata()
      expect({ width, height, format }).toEqual({ width: 256, height: 256, format: 'png' })
      const etag = small.headers.get('etag') ?? ''
      expect(etag).toMatch(/-w256"$/)
      expect((await fetchMedia(`${id}?w=250`, { headers: { 'if-none-match': etag } })).status).toBe(304)
      expect((await bytesOf(await fetchMedia(`${id}?w=600`))).equals(bytes)).toBe(true)
      const open = await fetch(url(`/api/media/${id}?w=64`))
      expect((await sharp(await bytesOf(open)).metadata()).width).toBe(64)
      for (const w of ['0', '-1', '1e3', 'x', '']) {
        const refused = await client.get(`/v1/media/${id}?w=${w}`)
        expect([w, refused.status, errorOf(refused.text).param]).toEqual([w, 400, 'w'])
      }
    })

    it('never comes larger than it is, though it is turned', async () => {
      const strip = { width: 600, height: 2, channels: 3, background: 'red' } as const
      const turned = await sharp({ create: strip }).withMetadata({ orientation: 6 }).png().toBuffer()
      const { id } = await fromData(turned)
      const small = await sharp(await bytesOf(await fetchMedia(`${id}?w=64`))).metadata()
      expect([small.width, small.height]).toEqual([2, 600])
    })

    it('is read as what is known of it, on request', async () => {
      const { id } = await fromData(await testImage())
      const known = await client.get(`/v1/media/${id}?metadata=true`)
      expect(known.json()).toMatchObject({
        id,
        object: 'media',
        width: 8,
        height: 8,
        created_at: expect.stringMatching(/Z$/),
      })
      const asJson = await fetchMedia(id.toUpperCase(), { headers: { accept: 'application/json' } })
      expect(await asJson.json()).toMatchObject({ id })
    })

    it('is read by a link without a credential, while it lasts', async () => {
      const bytes = await testImage()
      const stored = await fromData(bytes)
      const linked = await fetch(stored.url)
      expect(linked.status).toBe(200)
      expect(linked.headers.get('content-type')).toBe('image/png')
      expect((await bytesOf(linked)).equals(bytes)).toBe(true)
      const presigned = (await client.get(`/v1/media/${stored.id}/presign?ttl=5`)).json<{
        url: string
        expires_in: number
      }>()
      expect(presigned.expires_in).toBe(60)
      expect((await fetch(presigned.url)).status).toBe(200)
      const forged = await fetch(presigned.url.replace(/expires=\d+/i, (was) => `${was}9`))
      expect(forged.status).toBe(403)
      await forged.body?.cancel()
    })

    it('is read by everybody who knows its id, from other sites too', async () => {
      const bytes = await testImage()
      const { id } = await fromData(bytes)
      const open = await fetch(url(`/api/media/${id}`), { headers: { origin: 'https://elsewhere.example' } })
      expect(open.status).toBe(200)
      expect(open.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(open.headers.get('access-control-allow-origin')).toBe('*')
      expect((await bytesOf(open)).equals(bytes)).toBe(true)
      const none = await send(url('/api/media/jan_00000000000000000000000000'))
      expect([none.status, errorOf(none.text).message]).toEqual([404, 'media not found'])
    })

    it('goes for good', async () => {
      const stored = await fromData(await testImage())
      expect((await client.delete(`/v1/media/${stored.id}`)).status).toBe(204)
      expect((await client.delete(`/v1/media/${stored.id}`)).status).toBe(404)
      expect((await fetchMedia(stored.id)).status).toBe(404)
      const others = await Promise.all([fromData(await testImage()), fromData(await testImage())])
      const ids = others.map(({ id }) => id)
      const deleted = await client.post('/v1/media/bulk-delete', { media_ids: [...ids, stored.id] })
      expect(deleted.json()).toEqual({ deleted_count: 2, failed_ids: [stored.id] })
    })

    it('is found in lists and by ids', async () => {
      const owner = await guest(server)
      const stored = await fromData(await testImage(), owner)
      expect((await owner.get('/v1/media')).json()).toMatchObject({ total: 1, data: [{ id: stored.id }] })
      const resolved = await owner.post('/v1/media/resolve', { ids: [stored.id, 'jan_x'] })
      expect(resolved.json()).toMatchObject({
        media: [{ id: stored.id, mime: 'image/png' }],
        missing: ['jan_x'],
      })
      const payload = {
        messages: [{ content: [{ image_url: { url: `data:image/png;${stored.id}` } }] }],
        n: [1, null],
      }
      const answer = (await owner.post('/v1/media/resolve', { payload })).json<{ payload: typeof payload }>()
      const link = answer.payload.messages[0]?.content[0]?.image_url.url ?? ''
      expect((await fetch(link)).status).toBe(200)
      expect(answer.payload.n).toEqual([1, null])
    })

    it('is what the graph says too', async () => {
      const created = await client.graphql<{ createMedia: { media: { id: string; link: { url: string } } } }>(
        'mutation ($input: CreateMediaInput!) { createMedia(input: $input) { media { id link(expiresIn: 60) { url } } } }',
        { input: { dataUrl: dataUrlOf(await testImage('gif')) } },
      )
      const { id, link } = created.data.createMedia.media
      expect((await fetch(link.url)).headers.get('content-type')).toBe('image/gif')
      const read = await client.graphql('query ($id: ID!) { media(id: $id) { mimeType } }', { id })
      expect(read.data).toEqual({ media: { mimeType: 'image/gif' } })
      const hidden = await client.graphql('query ($id: ID!) { media(id: $id) { storageKey } }', { id })
      expect(hidden.errors?.[0]?.message).toContain('storageKey')
    })
  })

  interface Prepared {
    readonly id: string
    readonly upload_url: string
    readonly headers: Record<string, string>
  }
  const prepare = async (body: object) =>
    (await client.post('/v1/media/prepare-upload', body)).json<Prepared>()
  const put = (prepared: Prepared, bytes: Buffer, headers: Record<string, string> = prepared.headers) =>
    fetch(prepared.upload_url, { method: 'PUT', headers, body: new Uint8Array(bytes) })

  describe('an upload past the API', () => {
    it('is put to its link and used at once', async () => {
      const bytes = await noisyImage(128)
      const prepared = await prepare({ content_type: 'image/png', bytes: bytes.length, filename: 'big.png' })
      expect((await fetchMedia(prepared.id)).status).toBe(404)
      expect((await put(prepared, bytes)).ok).toBe(true)
      const read = await fetchMedia(prepared.id)
      expect(read.status).toBe(200)
      expect((await bytesOf(read)).equals(bytes)).toBe(true)
    })

    it('takes no other bytes than were promised', async () => {
      const bytes = await testImage()
      const sized = await prepare({ mime_type: 'image/png', bytes: bytes.length })
      expect((await put(sized, Buffer.concat([bytes, bytes]))).ok).toBe(false)
      const typed = await prepare({ content_type: 'image/png' })
      expect((await put(typed, bytes, { 'content-type': 'text/html' })).ok).toBe(false)
      const lied = await prepare({ content_type: 'image/png' })
      expect((await put(lied, Buffer.from('<script>alert(1)</script>'))).ok).toBe(true)
      const refused = await client.get(`/v1/media/${lied.id}`)
      expect([refused.status, errorOf(refused.text).code]).toEqual([400, 'invalid_parameter'])
      expect((await client.get(`/v1/media/${lied.id}`)).status).toBe(404)
    })

    it('can’t change what was stored, even while its link lasts', async () => {
      const bytes = await testImage()
      const prepared = await prepare({ content_type: 'image/png' })
      await put(prepared, bytes)
      await fetchMedia(prepared.id).then(bytesOf)
      await put(prepared, await testImage())
      expect((await bytesOf(await fetchMedia(prepared.id))).equals(bytes)).toBe(true)
    })
  })

  describe('bad input', () => {
    const port = () => (pictures.address() as AddressInfo).port
    it.each<[string, () => object, number, object]>([
      [
        'an unknown source',
        () => ({ source: { type: 'ftp' } }),
        400,
        { param: 'source.type', message: expect.stringContaining('unknown source type') },
      ],
      ['no source', () => ({}), 400, { param: 'source' }],
      ['no data', () => ({ source: { type: 'data_url' } }), 400, { code: 'missing_parameter' }],
      [
        'text',
        () => ({ source: { type: 'dataurl', data_url: 'data:text/plain;base64,aGVsbG8=' } }),
        400,
        { code: 'invalid_parameter' },
      ],
      [
        'a redirect into the private network',
        () => ({ source: { type: 'remote_url', url: `http://127.0.0.1:${port()}/away` } }),
        400,
        { code: 'invalid_parameter' },
      ],
      [
        'a URL that never ends',
        () => ({ source: { type: 'remote_url', url: `http://127.0.0.1:${port()}/endless` } }),
        413,
        { code: 'max_size_exceeded' },
      ],
      [
        'a URL with nothing behind it',
        () => ({ source: { type: 'remote_url', url: `http://127.0.0.1:${port()}/none` } }),
        400,
        { code: 'invalid_parameter', message: expect.stringContaining('404') },
      ],
      [
        'a private address',
        () => ({ source: { type: 'remote_url', url: 'http://[::ffff:10.0.0.1]/x.png' } }),
        400,
        { code: 'invalid_parameter' },
      ],
    ])('of %s has its error, and nothing is stored', async (_what, body, status, error) => {
      const owner = await guest(server)
      const answer = await owner.post('/v1/media', body())
      expect(answer.status).toBe(status)
      expect(errorOf(answer.text)).toMatchObject(error)
      expect((await owner.get('/v1/media')).json()).toMatchObject({ total: 0 })
    })

    it.each<[string, () => Promise<FormData> | FormData, number, object]>([
      [
        'without a file',
        () => form(Buffer.from('x'), 'a.png', 'other'),
        400,
        { code: 'missing_parameter', param: 'file' },
      ],
      ['with an empty file', () => form(Buffer.alloc(0)), 400, { code: 'invalid_parameter', param: 'file' }],
      ['with a page', () => form(Buffer.from('<html>')), 400, { code: 'invalid_parameter', param: 'file' }],
      [
        'with half an image',
        async () => form((await noisyImage(64)).subarray(0, 5000)),
        400,
        { code: 'invalid_parameter', param: 'file' },
      ],
      [
        'with 21 MB',
        async () => form(Buffer.concat([await testImage(), Buffer.alloc(22_500_000)])),
        413,
        { code: 'max_size_exceeded', param: 'file', message: 'At most 20971520 bytes are taken.' },
      ],
      [
        'with a whole image and a text that is too long',
        async () => {
          const data = form(await testImage())
          data.append('user_id', 'x'.repeat(200_000))
          return data
        },
        400,
        { code: 'invalid_parameter', param: 'user_id' },
      ],
      [
        'with a whole image and a second file',
        async () => {
          const data = form(await testImage())
          data.append('file', new Blob([new Uint8Array(await noisyImage(1000))]), 'b.png')
          return data
        },
        400,
        { code: 'invalid_parameter', param: 'file' },
      ],
    ])('as a form %s has its error, and nothing is stored', async (_what, body, status, error) => {
      const owner = await guest(server)
      const answer = await upload(await body(), owner)
      expect(answer.status).toBe(status)
      expect(errorOf(answer.text)).toMatchObject(error)
      expect((await owner.get('/v1/media')).json()).toMatchObject({ total: 0 })
    })

    it('as a form that breaks off behind a whole image, stores nothing', async () => {
      const owner = await guest(server)
      const image = Buffer.concat([
        Buffer.from(partOf('file')),
        await testImage(),
        Buffer.from('\r\n--x\r\n'),
      ])
      const broken = await send(url('/v1/media/upload'), {
        method: 'POST',
        headers: { ...owner.headers, 'content-type': 'multipart/form-data; boundary=x' },
        body: Buffer.concat([image, Buffer.alloc(300_000, 'Content-Disposition: form-data')]),
      })
      expect(broken.status).toBe(400)
      expect((await owner.get('/v1/media')).json()).toMatchObject({ total: 0 })
    })

    it('as a form that breaks off leaves the server well', async () => {
      const broken = await send(url('/v1/media/upload'), {
        method: 'POST',
        headers: { ...client.headers, 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nhalf',
      })
      expect(broken.status).toBe(400)
      const nothing = await send(url('/v1/media/upload'), {
        method: 'POST',
        headers: { ...client.headers, 'content-type': 'multipart/form-data' },
        body: 'x',
      })
      expect(nothing.status).toBe(400)
      expect((await client.get('/healthz')).status).toBe(200)
    })

    const sendForm = (body: string, headers: Record<string, string> = {}) =>
      send(url('/v1/media/upload'), {
        method: 'POST',
        headers: { ...client.headers, 'content-type': 'multipart/form-data; boundary=x', ...headers },
        body,
      })
    const partOf = (name: string) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a.png"\r\n\r\n`

    it.each([
      ['a file that nobody asked for', `${partOf('other')}half`],
      ['a second file', `${partOf('file')}<html>\r\n${partOf('file')}half`],
    ])('as a form that breaks off within %s leaves the server well', async (_what, body) => {
      expect((await sendForm(body)).status).toBe(400)
      expect((await client.get('/healthz')).status).toBe(200)
    })

    it('as a form whose sender leaves, leaves the server well', async () => {
      const head = (await testImage()).toString('latin1')
      const { port: serverPort } = new URL(server.url)
      for (const [name, bytes] of [
        ['file', 100_000],
        ['other', 100_000],
        ['file', 0],
      ] as const) {
        const socket = connect(Number(serverPort), '127.0.0.1')
        const headers = Object.entries({ ...client.headers, host: 'x', 'content-length': '9000000' })
        socket.write(
          `POST /v1/media/upload HTTP/1.1\r\n${headers.map(([key, value]) => `${key}: ${value}\r\n`).join('')}` +
            'content-type: multipart/form-data; boundary=x\r\n\r\n',
        )
        socket.write(`${partOf(name)}${head}${'x'.repeat(bytes)}`, 'latin1')
        await new Promise((resolve) => setTimeout(resolve, 200))
        socket.destroy()
        await new Promise((resolve) => setTimeout(resolve, 200))
        expect((await client.get('/healthz')).status).toBe(200)
      }
    })

    it('as a form has more beside its file than a form may have', async () => {
      const beside = `${partOf('other')}${'x'.repeat(1024 * 1024)}`
      const answer = await sendForm(`${partOf('other')}${'x'.repeat(22_100_000)}\r\n${beside}\r\n--x--\r\n`)
      expect([answer.status, errorOf(answer.text)]).toMatchObject([
        413,
        { code: 'max_size_exceeded', param: 'file' },
      ])
      expect((await client.get('/healthz')).status).toBe(200)
    })

    it('as a form is not compressed', async () => {
      const answer = await sendForm('x', { 'content-encoding': 'gzip' })
      expect([answer.status, errorOf(answer.text).code]).toEqual([415, 'unsupported_media_type'])
    })

    it('does not come of another file before the one that is meant', async () => {
      const data = form(Buffer.from('<html>'), 'a.html', 'other')
      data.set('file', new Blob([new Uint8Array(await testImage())]), 'a.png')
      expect((await upload(data)).status).toBe(200)
    })

    it.each<[string, string, object]>([
      ['no value to resolve', '/v1/media/resolve', { payload: null }],
      ['neither ids nor a value', '/v1/media/resolve', { ids: null, payload: null }],
      ['an unknown type', '/v1/media/prepare-upload', { content_type: 'a/b', expires_in: -99_999_999_999 }],
    ])('of %s is refused', async (_what, path, body) => {
      const answer = await client.post(path, body)
      expect([answer.status, errorOf(answer.text).code]).toEqual([400, 'invalid_parameter'])
    })

    it('needs a caller', async () => {
      const stranger = clientOf(server, 'nonsense')
      expect((await stranger.get('/v1/media')).status).toBe(401)
      const bare = await send(url('/v1/media/upload'), { method: 'POST', body: form(await testImage()) })
      expect(bare.status).toBe(401)
    })
  })
})
