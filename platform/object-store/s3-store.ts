import { addAbortSignal, Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { inlineDisposition } from '../content-disposition.ts'
import { exactly } from '../exact-size.ts'
import type { Logger } from '../log.ts'
import { assertKey } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { ensureBucket, once } from './s3-bucket.ts'
import { uploadInParts } from './s3-upload.ts'
import { storageSteps } from './storage-failure.ts'

/** A bucket and how it is reached. */
export interface S3StoreOptions {
  readonly bucket: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly region: string
  /** Null is Amazon's own. */
  readonly endpoint: string | null
  /** The address that links are signed for. */
  readonly publicEndpoint: string | null
  /** The bucket's name in the path rather than in the host. */
  readonly usePathStyle: boolean
  /** Makes the bucket before the first object, where there is none. */
  readonly createBucket: boolean
  readonly log: Logger
}

/** How long a store may take to accept a connection, and be silent on one. */
const connectLimitMs = 5_000
const silenceLimitMs = 60_000

/** Objects that are deleted at the same time. */
const deletesAtOnce = 10

/** Objects in a bucket of anything that speaks S3. What fails for the moment is asked again by the SDK. */
export function openS3Store({ bucket, createBucket, log, ...place }: S3StoreOptions): ObjectStore {
  const client = clientFor(place, place.endpoint)
  const signer = clientFor(place, place.publicEndpoint)
  const store = storageSteps(log)
  const prepared = once(async () => {
    if (createBucket) await store('make the bucket', () => ensureBucket(client, bucket))
  })
  const at = (key: string) => {
    assertKey(key)
    return { Bucket: bucket, Key: key }
  }
  return {
    async write(key, bytes, { contentType, size = null, signal }) {
      // A stream that fails before it is read fails the reading of it, not the process.
      bytes.once('error', () => undefined)
      try {
        const object = { ...at(key), ContentType: contentType }
        if (signal) addAbortSignal(signal, bytes)
        await prepared()
        return await uploadInParts({ client, store, log, object, bytes: exactly(bytes, size), signal })
      } finally {
        bytes.destroy()
      }
    },
    async read(key, { range, signal } = {}) {
      const Range = range ? `bytes=${range.start}-${range.end}` : undefined
      const command = new GetObjectCommand({ ...at(key), Range })
      signal?.throwIfAborted()
      const bytes = await store('read', () =>
        client.send(command, { abortSignal: signal }).then(bodyOf, standIn),
      )
      bytes?.once('error', (error) => {
        if (error.name !== 'AbortError') log.warn({ reason: error.name }, 'the media store broke off a read')
      })
      return bytes && signal ? addAbortSignal(signal, bytes) : bytes
    },
    async head(key) {
      const command = new HeadObjectCommand(at(key))
      const answer = await store('head', () => client.send(command).catch(absentIsNull))
      return answer && { size: answer.ContentLength ?? 0 }
    },
    async delete(keys) {
      // One by one: deleting many in one request is not in every store that speaks S3.
      const commands = keys.map((key) => new DeleteObjectCommand(at(key)))
      await store('delete', async () => {
        for (let done = 0; done < commands.length; done += deletesAtOnce)
          await Promise.all(commands.slice(done, done + deletesAtOnce).map((command) => client.send(command)))
      })
    },
    async signedGet(key, { expiresIn, contentType, filename = null }) {
      const command = new GetObjectCommand({
        ...at(key),
        ResponseContentType: contentType,
        ResponseContentDisposition: inlineDisposition(filename),
      })
      const expiresAt = expiry(expiresIn)
      const url = await store('sign', () => getSignedUrl(signer, command, { expiresIn }))
      return { url, headers: {}, expiresAt }
    },
    async signedPut(key, { expiresIn, contentType, size }) {
      const command = new PutObjectCommand({ ...at(key), ContentType: contentType, ContentLength: size })
      const expiresAt = expiry(expiresIn)
      await prepared()
      const signableHeaders = new Set(['host', 'content-type', 'content-length'])
      const url = await store('sign', () => getSignedUrl(signer, command, { expiresIn, signableHeaders }))
      return { url, headers: { 'content-type': contentType }, expiresAt }
    },
  }
}

type Place = Pick<S3StoreOptions, 'credentials' | 'region' | 'usePathStyle'>

function clientFor({ credentials, region, usePathStyle }: Place, endpoint: string | null): S3Client {
  return new S3Client({
    credentials,
    region,
    ...(endpoint === null ? {} : { endpoint }),
    forcePathStyle: usePathStyle,
    // Checksums of its own in every request and answer are Amazon's alone: other stores keep them as if they were content.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectLimitMs, socketTimeout: silenceLimitMs },
  })
}

function expiry(seconds: number): number {
  return Math.floor(Date.now() / 1000 + seconds) * 1000
}

function bodyOf({ Body }: { readonly Body?: unknown }): Readable {
  if (Body instanceof Readable) return Body
  throw new Error('The store answered without a body.')
}

/** What is read where there is no object, or nothing of it in the range that is asked for. */
function standIn(error: unknown): Readable | null {
  if (error instanceof Error && error.name === 'InvalidRange') return Readable.from([])
  return absentIsNull(error)
}

/** A bucket that is not there is 404 too, and no missing object. */
function absentIsNull(error: unknown): null {
  if (error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound')) return null
  throw error
}
