import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mediaMaxBytes, parseConfig, platformConfig } from '../config.ts'
import { createLogger } from '../log.ts'
import { noMetrics } from '../metrics/metrics.ts'
import { type S3Server, startS3Server } from '../testing/s3-server.ts'
import { createObjectStore, createSignedLinks } from './index.ts'

const log = createLogger({ level: 'silent', format: 'json' })
const links = createSignedLinks({
  rootSecret: 'a root secret for tests only',
  baseUrl: 'http://localhost/v1/files',
})
const open = (environment: Record<string, string>) =>
  createObjectStore({ platform: parseConfig(platformConfig, environment), links, log, metrics: noMetrics })
const some = () => Readable.from([Buffer.from('some bytes')])
const png = { contentType: 'image/png' }

describe('the store of media', () => {
  let folder: string
  let server: S3Server
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jan-choice-'))
    server = await startS3Server()
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const bucket = () => ({
    MEDIA_S3_ENDPOINT: server.endpoint,
    MEDIA_S3_BUCKET: server.bucket,
    MEDIA_S3_ACCESS_KEY_ID: server.credentials.accessKeyId,
    MEDIA_S3_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  })

  it('is files in the data folder while nothing is set', async () => {
    await open({ JAN_DATA_DIR: folder }).write('a', some(), png)
    expect(await readFile(join(folder, 'media', 'a'), 'utf8')).toBe('some bytes')
  })

  it('is files in a folder of their own, though a bucket is named too', async () => {
    const MEDIA_LOCAL_STORAGE_PATH = join(folder, 'elsewhere')
    const store = open({ ...bucket(), MEDIA_STORAGE_BACKEND: 'local', MEDIA_LOCAL_STORAGE_PATH })
    await store.write('a', some(), png)
    expect(await readFile(join(MEDIA_LOCAL_STORAGE_PATH, 'a'), 'utf8')).toBe('some bytes')
  })

  it('is a bucket where one is named, whose links lead to its address from outside', async () => {
    const store = open({ ...bucket(), MEDIA_S3_PUBLIC_ENDPOINT: 'https://media.example.com' })
    await store.write('in-a-bucket', some(), png)
    expect((await server.files()).some((path) => path.includes('in-a-bucket'))).toBe(true)
    expect(await text((await store.read('in-a-bucket')) ?? some())).toBe('some bytes')
    const { url } = await store.signedGet('in-a-bucket', { expiresIn: 60, contentType: 'image/png' })
    expect(new URL(url)).toMatchObject({
      origin: 'https://media.example.com',
      pathname: `/${server.bucket}/in-a-bucket`,
    })
  })

  it('of Amazon has the bucket in the host, and elsewhere where it is told to', async () => {
    const { MEDIA_S3_ENDPOINT, ...amazon } = bucket()
    const linkOf = async (environment: Record<string, string>) => {
      const { url } = await open(environment).signedGet('a', {
        expiresIn: 60,
        contentType: 'image/png',
      })
      return new URL(url).host + new URL(url).pathname
    }
    expect(await linkOf({ ...amazon, MEDIA_S3_REGION: 'eu-central-1' })).toBe(
      'media.s3.eu-central-1.amazonaws.com/a',
    )
    expect(
      await linkOf({
        ...amazon,
        MEDIA_S3_ENDPOINT: 'https://s3.example.com',
        MEDIA_S3_USE_PATH_STYLE: 'false',
      }),
    ).toBe('media.s3.example.com/a')
  })

  it.each([['MEDIA_S3_BUCKET'], ['MEDIA_S3_ACCESS_KEY_ID'], ['MEDIA_S3_SECRET_ACCESS_KEY']])(
    'refuses each call where it is a bucket without %s, and names that',
    async (missing) => {
      const { [missing]: _, ...rest }: Record<string, string> = bucket()
      const store = open({ ...rest, MEDIA_STORAGE_BACKEND: 's3' })
      const refusal = {
        code: 'media_storage_not_configured',
        status: 503,
        message: expect.stringContaining(missing),
      }
      const bytes = some()
      await expect(store.write('a', bytes, png)).rejects.toMatchObject(refusal)
      expect(bytes.destroyed).toBe(true)
      await expect(store.read('a')).rejects.toMatchObject(refusal)
      await expect(store.head('a')).rejects.toMatchObject(refusal)
      await expect(store.delete(['a'])).rejects.toMatchObject(refusal)
      await expect(store.signedGet('a', { expiresIn: 60, contentType: 'image/png' })).rejects.toMatchObject(
        refusal,
      )
      await expect(store.signedPut('a', { expiresIn: 60, contentType: 'image/png' })).rejects.toMatchObject(
        refusal,
      )
    },
  )
})

describe('the size of a medium', () => {
  it('has two names', () => {
    const limit = (environment: Record<string, string>) =>
      mediaMaxBytes(parseConfig(platformConfig, environment))
    expect(limit({})).toBe(20_971_520)
    expect(limit({ MEDIA_MAX_BYTES: '1000' })).toBe(1000)
    expect(limit({ MEDIA_MAX_UPLOAD_BYTES: '2000', MEDIA_MAX_BYTES: '1000' })).toBe(2000)
  })
})
