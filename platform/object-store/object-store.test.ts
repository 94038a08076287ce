import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createLogger } from '../log.ts'
import { freePort } from '../testing/free-port.ts'
import { type S3Server, startS3Server } from '../testing/s3-server.ts'
import { openLocalStore } from './local-store.ts'
import type { ObjectStore } from './object-store.ts'
import { openS3Store } from './s3-store.ts'
import { createSignedLinks } from './signed-links.ts'

const log = createLogger({ level: 'silent', format: 'json' })
const links = createSignedLinks({
  rootSecret: 'a root secret for tests only',
  baseUrl: 'http://localhost/v1/files',
})
const png = { contentType: 'image/png' }
const megabyte = 1024 * 1024

/** A driver under test: its store, and all that lies in it. */
interface Driver {
  readonly store: ObjectStore
  files(): Promise<string[]>
  stop(): Promise<void>
}

async function files(): Promise<Driver> {
  const folder = await mkdtemp(join(tmpdir(), 'jan-objects-'))
  return {
    store: openLocalStore({ folder, links, log }),
    files: async () => (await readdir(folder, { recursive: true, withFileTypes: true })).flatMap(pathOfFile),
    stop: () => rm(folder, { recursive: true, force: true }),
  }
  function pathOfFile(entry: { isFile(): boolean; name: string; parentPath: string }): string[] {
    return entry.isFile() ? [join(entry.parentPath, entry.name).slice(folder.length + 1)] : []
  }
}

const onServer = (
  { endpoint, bucket, credentials }: Pick<S3Server, 'endpoint' | 'bucket' | 'credentials'>,
  createBucket = false,
) =>
  openS3Store({
    createBucket,
    bucket,
    credentials,
    region: 'us-east-1',
    endpoint,
    publicEndpoint: endpoint,
    usePathStyle: true,
    log,
  })

async function bucket(): Promise<Driver> {
  const server = await startS3Server()
  return { store: onServer(server), files: server.files, stop: server.stop }
}

/** `size` bytes that differ from place to place, in chunks of 64 KB made when they are asked for. */
function* noise(size: number): Generator<Buffer, void> {
  let block = createHash('sha256').update(String(size)).digest()
  for (let made = 0; made < size; ) {
    block = createHash('sha256').update(block).digest()
    const chunk = Buffer.alloc(Math.min(64 * 1024, size - made), block)
    made += chunk.length
    yield chunk
  }
}
const stream = (...chunks: (string | Buffer)[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const startedUpload = `<?xml version="1.0"?>
<InitiateMultipartUploadResult><UploadId>an-upload</UploadId></InitiateMultipartUploadResult>`

/** Two chunks, then nothing more. */
function stuck(): Readable {
  const bytes = new Readable({ read() {} })
  bytes.push(Buffer.alloc(1000))
  bytes.push(Buffer.alloc(1000))
  return bytes
}

describe.each([
  ['files', files],
  ['a bucket', bucket],
])('a store of %s', (_, open) => {
  let driver: Driver
  let store: ObjectStore
  beforeAll(async () => {
    driver = await open()
    store = driver.store
  })
  afterAll(() => driver.stop())

  const content = async (key: string, options?: Parameters<ObjectStore['read']>[1]) => {
    const bytes = await store.read(key, options)
    return bytes && (await buffer(bytes)).toString()
  }

  it('gives back what was written', async () => {
    expect(await store.write('images/jan_1.png', stream('hello ', 'world'), png)).toBe(11)
    expect(await content('images/jan_1.png')).toBe('hello world')
    expect(await store.head('images/jan_1.png')).toEqual({ size: 11 })
  })

  it('holds an upload against its announced size', async () => {
    expect(await store.write('sized', stream('hello'), { ...png, size: 5 })).toBe(5)
    expect(await content('sized')).toBe('hello')
    for (const size of [4, 6])
      await expect(store.write('wrong', stream('hello'), { ...png, size })).rejects.toMatchObject({
        code: 'invalid_parameter',
        param: 'size',
      })
    expect(await store.head('wrong')).toBeNull()
  })

  it('keeps empty objects', async () => {
    expect(await store.write('empty', stream(), png)).toBe(0)
    expect(await store.write('empty-sized', stream(), { ...png, size: 0 })).toBe(0)
    for (const key of ['empty', 'empty-sized']) {
      expect(await store.head(key)).toEqual({ size: 0 })
      expect(await content(key)).toBe('')
    }
  })

  it('reads ranges', async () => {
    await store.write('digits', stream('0123456789'), png)
    expect(await content('digits', { range: { start: 0, end: 1 } })).toBe('01')
    expect(await content('digits', { range: { start: 9, end: 9 } })).toBe('9')
    expect(await content('digits', { range: { start: 3, end: 6 } })).toBe('3456')
    expect(await content('digits', { range: { start: 8, end: 100 } })).toBe('89')
    expect(await content('digits', { range: { start: 10, end: 12 } })).toBe('')
  })

  it('replaces what was there', async () => {
    await store.write('replaced', stream('a long first content'), png)
    await store.write('replaced', stream('short'), png)
    expect(await content('replaced')).toBe('short')
  })

  it('knows nothing of other keys', async () => {
    await store.write('folder/object', stream('x'), png)
    for (const key of ['unknown', 'folder', 'folder/object/below', 'folder/other']) {
      expect(await store.read(key)).toBeNull()
      expect(await store.head(key)).toBeNull()
    }
  })

  it('deletes, and takes unknown keys in silence', async () => {
    await store.write('gone/1', stream('x'), png)
    await store.write('gone/2', stream('x'), png)
    await store.write('gone/stays', stream('x'), png)
    await store.delete(['gone/1', 'unknown', 'gone', 'gone/1/below', 'gone/2'])
    expect(await Promise.all(['gone/1', 'gone/2'].map(store.head))).toEqual([null, null])
    expect(await content('gone/stays')).toBe('x')
    await store.delete([])
  })

  it.each([
    '',
    '/',
    '/etc/passwd',
    '..',
    '../outside',
    'images/../../outside',
    'images//double',
    'images/',
    '.hidden',
    'images/.hidden',
    './here',
    'nul\0byte',
    'back\\slash',
    'C:/windows',
    'UPPER',
    'with space',
    'line\nbreak',
    'images/jan_1.png\n',
    'ünïcode',
    '%2e%2e/outside',
    'x'.repeat(300),
  ])('refuses the hostile key %j', async (key) => {
    const refusal = { code: 'invalid_parameter', param: 'key' }
    const before = await driver.files()
    await expect(store.write(key, stream('x'), png)).rejects.toMatchObject(refusal)
    await expect(store.read(key)).rejects.toMatchObject(refusal)
    await expect(store.head(key)).rejects.toMatchObject(refusal)
    await expect(store.delete(['unknown', key])).rejects.toMatchObject(refusal)
    await expect(store.signedGet(key, { expiresIn: 60, contentType: 'image/png' })).rejects.toMatchObject(
      refusal,
    )
    await expect(store.signedPut(key, { expiresIn: 60, contentType: 'image/png' })).rejects.toMatchObject(
      refusal,
    )
    expect(await driver.files()).toEqual(before)
  })

  it('ends a read whose reader has left', async () => {
    await store.write('left', Readable.from(noise(2 * megabyte)), png)
    const leaving = new AbortController()
    const bytes = await store.read('left', { signal: leaving.signal })
    leaving.abort()
    await expect(buffer(bytes ?? stream())).rejects.toMatchObject({ name: 'AbortError' })
    await expect(store.read('left', { signal: leaving.signal })).rejects.toMatchObject({ name: 'AbortError' })
  })

  describe.each([
    ['known', 20 * megabyte],
    ['unknown', undefined],
  ])('of a stream of %s size', (name, size) => {
    const options = { ...png, ...(size === undefined ? {} : { size }) }

    it('that fails leaves nothing, and what was there', async () => {
      await store.write('kept', stream('as it was'), png)
      const before = await driver.files()
      for (const failingAfter of [0, 3, 6 * megabyte]) {
        const failing = Readable.from(
          (function* () {
            yield* noise(failingAfter)
            throw new RangeError('the source broke')
          })(),
        )
        await expect(store.write('kept', failing, options)).rejects.toThrow(
          new RangeError('the source broke'),
        )
        await expect(
          store.write('never', stuck().destroy(new RangeError('before')), options),
        ).rejects.toThrow(new RangeError('before'))
      }
      const cut = store.write('never', stuck().destroy(), options)
      await expect(cut).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
      expect(await store.head('never')).toBeNull()
      expect(await content('kept')).toBe('as it was')
      expect((await driver.files()).filter((file) => !before.includes(file))).toEqual([])
    })

    it('that is aborted leaves nothing, and ends the stream', async () => {
      const before = await driver.files()
      const leaving = new AbortController()
      const bytes = stuck()
      const writing = store.write(`aborted-${name}`, bytes, { ...options, signal: leaving.signal })
      await sleep(50)
      leaving.abort()
      await expect(writing).rejects.toMatchObject({ name: 'AbortError' })
      expect(bytes.destroyed).toBe(true)
      const late = store.write(`aborted-${name}`, stuck(), { ...options, signal: leaving.signal })
      await expect(late).rejects.toMatchObject({ name: 'AbortError' })
      expect(await store.head(`aborted-${name}`)).toBeNull()
      expect((await driver.files()).filter((file) => !before.includes(file))).toEqual([])
    })

    it('keeps 20 MB as they came', async () => {
      const whole = Buffer.concat([...noise(20 * megabyte)])
      expect(await store.write('large', Readable.from(noise(whole.length)), options)).toBe(whole.length)
      const bytes = await store.read('large')
      expect(digest(await buffer(bytes ?? stream()))).toBe(digest(whole))
      expect(await content('large', { range: { start: 10 * megabyte, end: 10 * megabyte + 9 } })).toBe(
        whole.subarray(10 * megabyte, 10 * megabyte + 10).toString(),
      )
    })
  })
})

describe('a store of files', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jan-objects-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('asks for no more of a stream than it has written', async () => {
    const store = openLocalStore({ folder: join(folder, 'flow'), links, log })
    const incoming = join(folder, 'flow', '.incoming')
    const ahead: number[] = []
    async function* watched() {
      let made = 0
      for (const chunk of noise(20 * megabyte)) {
        const names = await readdir(incoming)
        const { size } = await stat(join(incoming, names[0] ?? ''))
        ahead.push(made - size)
        made += chunk.length
        yield chunk
      }
    }
    await store.write('large', Readable.from(watched()), png)
    expect(ahead.length).toBe(320)
    expect(Math.max(...ahead)).toBeLessThan(2 * megabyte)
  })

  it('is made with its first object, for its owner alone', async () => {
    const made = join(folder, 'deep', 'below')
    const store = openLocalStore({ folder: made, links, log })
    expect(await store.head('images/1')).toBeNull()
    await store.delete(['images/1'])
    await expect(stat(made)).rejects.toMatchObject({ code: 'ENOENT' })
    await store.write('images/1', stream('x'), png)
    expect((await stat(join(made, 'images/1'))).mode & 0o777).toBe(0o600)
  })

  it('clears away what a crash has left, and nothing that is still being written', async () => {
    const root = join(folder, 'crashed')
    const incoming = join(root, '.incoming')
    await mkdir(incoming, { recursive: true })
    for (const name of ['old', 'fresh']) await writeFile(join(incoming, name), 'half of it')
    const longAgo = Date.now() / 1000 - 25 * 60 * 60
    await utimes(join(incoming, 'old'), longAgo, longAgo)
    const store = openLocalStore({ folder: root, links, log })
    await store.write('one', stream('x'), png)
    expect(await readdir(incoming)).toEqual(['fresh'])
    expect((await readdir(root)).sort()).toEqual(['.incoming', 'one'])
  })

  it('that can’t be written says so, and can later', async () => {
    const blocked = join(folder, 'blocked')
    await writeFile(blocked, 'a file in its place')
    const store = openLocalStore({ folder: blocked, links, log })
    await expect(store.write('one', stream('x'), png)).rejects.toMatchObject({
      code: 'media_storage_failed',
      message: expect.not.stringContaining(folder),
    })
    await rm(blocked)
    expect(await store.write('one', stream('x'), png)).toBe(1)
    expect(await readFile(join(blocked, 'one'), 'utf8')).toBe('x')
  })

  it('that was taken away is made anew by the next object', async () => {
    const root = join(folder, 'taken')
    const store = openLocalStore({ folder: root, links, log })
    await store.write('one', stream('x'), png)
    await rm(root, { recursive: true })
    expect(await store.head('one')).toBeNull()
    expect(await store.write('two', stream('x'), png)).toBe(1)
  })

  it('has no object under the name of a folder', async () => {
    const store = openLocalStore({ folder: join(folder, 'names'), links, log })
    await store.write('a/b', stream('x'), png)
    await expect(store.write('a', stream('x'), png)).rejects.toMatchObject({ code: 'media_storage_failed' })
    await expect(store.write('a/b/c', stream('x'), png)).rejects.toMatchObject({
      code: 'media_storage_failed',
    })
    expect(await readdir(join(folder, 'names', '.incoming'))).toEqual([])
  })
})

describe('a store in a bucket', () => {
  it('makes the bucket where it may and there is none, and nothing is made where it may not', async () => {
    const server = await startS3Server({ hasBucket: false })
    try {
      const refused = onServer(server).write('images/a.png', stream('a'), png)
      await expect(refused).rejects.toMatchObject({ code: 'media_storage_failed' })
      const [one, another] = [onServer(server, true), onServer(server, true)]
      const writes = [
        one.write('images/a.png', stream('a'), png),
        another.write('images/b.png', stream('b'), png),
      ]
      expect(await Promise.all(writes)).toEqual([1, 1])
      expect(await another.head('images/a.png')).toEqual({ size: 1 })
      const { url, headers } = await onServer(server, true).signedPut('uploads/c', { expiresIn: 60, ...png })
      expect((await fetch(url, { method: 'PUT', headers: { ...headers }, body: 'c' })).status).toBe(200)
    } finally {
      await server.stop()
    }
  })

  const credentials = { accessKeyId: 'an-access-key-id', secretAccessKey: 'a-secret-access-key' }

  it('that is down is told of without a word of where it is', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const store = onServer({ endpoint, bucket: 'a-bucket', credentials })
    const failure = {
      code: 'media_storage_failed',
      status: 502,
      message: expect.not.stringMatching(/127\.0\.0\.1|a-bucket|access-key/),
    }
    await expect(store.write('one', stream('x'), png)).rejects.toMatchObject(failure)
    await expect(store.write('one', stream('x'), { ...png, size: 1 })).rejects.toMatchObject(failure)
    await expect(store.read('one')).rejects.toMatchObject(failure)
    await expect(store.head('one')).rejects.toMatchObject(failure)
    await expect(store.delete(['one'])).rejects.toMatchObject(failure)
  })

  it('that refuses us, or that does not exist, is a failure and no missing object', async () => {
    const server = await startS3Server()
    const { endpoint, bucket } = server
    const stranger = onServer({ endpoint, bucket, credentials })
    await expect(stranger.read('one')).rejects.toMatchObject({ code: 'media_storage_failed' })
    await expect(stranger.write('one', stream('x'), png)).rejects.toMatchObject({
      code: 'media_storage_failed',
    })
    const nowhere = onServer({ ...server, bucket: 'no-such-bucket' })
    await expect(nowhere.read('one')).rejects.toMatchObject({ code: 'media_storage_failed' })
    await server.stop()
  })

  it('is asked again where it is busy, and is rid of its parts where the stream fails', async () => {
    const asked: string[] = []
    const busy = createHttpServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
      const step = `${request.method} ${[...searchParams.keys()].filter((name) => name !== 'x-id').sort()}`
      const isFirst = !asked.includes(step)
      asked.push(step)
      request.resume().once('end', () => {
        if (step === 'PUT partNumber,uploadId' && isFirst) response.writeHead(503).end()
        else if (step === 'POST uploads') response.end(startedUpload)
        else response.setHeader('ETag', '"an-etag"').end()
      })
    }).listen(0, '127.0.0.1')
    await once(busy, 'listening')
    const { port } = busy.address() as AddressInfo
    const store = onServer({ endpoint: `http://127.0.0.1:${port}`, bucket: 'a-bucket', credentials })
    const failing = Readable.from(
      (function* () {
        yield* noise(6 * megabyte)
        throw new RangeError('the source broke')
      })(),
    )
    await expect(store.write('one', failing, png)).rejects.toThrow(RangeError)
    expect(asked).toEqual([
      'POST uploads',
      'PUT partNumber,uploadId',
      'PUT partNumber,uploadId',
      'DELETE uploadId',
    ])
    busy.closeAllConnections()
    busy.close()
  })

  it('that takes nothing makes no more be asked of a stream than one part', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer({ pauseOnConnect: true }, (socket) => sockets.add(socket))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const store = onServer({ endpoint: `http://127.0.0.1:${port}`, bucket: 'a-bucket', credentials })
    const leaving = new AbortController()
    let made = 0
    const bytes = Readable.from(
      (function* () {
        for (const chunk of noise(64 * megabyte)) {
          made += chunk.length
          yield chunk
        }
      })(),
    )
    const writing = store.write('one', bytes, { ...png, signal: leaving.signal })
    writing.catch(() => undefined)
    // Until nothing more is asked for.
    for (let before = -1; made !== before || made === 0; await sleep(300)) before = made
    expect(made).toBeLessThan(6 * megabyte)
    leaving.abort()
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' })
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})
