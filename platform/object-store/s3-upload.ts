import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Logger } from '../log.ts'
import type { StorageStep } from './storage-failure.ts'

/** What is uploaded, and where to. */
export interface Upload {
  readonly client: S3Client
  readonly store: StorageStep
  readonly log: Logger
  readonly object: { readonly Bucket: string; readonly Key: string; readonly ContentType: string }
  readonly bytes: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal | undefined
}

/** The smallest part that S3 takes, and all that is held of an upload. */
const partBytes = 5 * 1024 * 1024

/** Parts that were not put together are no object, but lie in the bucket: so long may their removal take. */
const abandonLimitMs = 10_000

/**
 * Uploads a stream part by part; what fits into one part goes as one request. So nothing is begun before there is something
 * to send, a length need not be known, each request can be sent again where it fails (a stream could not), and an object
 * is there only once all of it is.
 * @returns how many bytes were written
 */
export async function uploadInParts(upload: Upload): Promise<number> {
  const { client, store, object, bytes, signal } = upload
  const parts = inParts(bytes)
  const first = await parts.next()
  const Body = first.done ? new Uint8Array() : first.value
  if (Body.length === partBytes) return uploadMany(upload, Body, parts)
  await store('write', () => client.send(new PutObjectCommand({ ...object, Body }), { abortSignal: signal }))
  return Body.length
}

async function uploadMany(
  upload: Upload,
  first: Uint8Array,
  others: AsyncIterable<Uint8Array>,
): Promise<number> {
  const { client, store, object, signal: abortSignal } = upload
  const { Bucket, Key } = object
  const { UploadId } = await store('write', () =>
    client.send(new CreateMultipartUploadCommand(object), { abortSignal }),
  )
  const Parts: CompletedPart[] = []
  let sent = 0
  const sendPart = async (Body: Uint8Array) => {
    const PartNumber = Parts.length + 1
    const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body })
    const { ETag } = await store('write', () => client.send(command, { abortSignal }))
    Parts.push({ ETag, PartNumber })
    sent += Body.length
  }
  try {
    await sendPart(first)
    for await (const part of others) await sendPart(part)
    const complete = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } })
    await store('write', () => client.send(complete, { abortSignal }))
    return sent
  } catch (error) {
    await abandon(upload, UploadId)
    throw error
  }
}

/** Takes back the parts of an upload that failed. Where that fails too, a rule of the bucket has to do it. */
async function abandon({ client, log, object }: Upload, UploadId: string | undefined): Promise<void> {
  const { Bucket, Key } = object
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), {
      abortSignal: AbortSignal.timeout(abandonLimitMs),
    })
  } catch (error) {
    const reason = error instanceof Error ? error.name : 'unknown'
    log.warn({ reason }, 'parts of an upload that failed are left in the bucket')
  }
}

/** Chunks gathered to parts of the one size; the last may be smaller. */
async function* inParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let gathered: Uint8Array[] = []
  let length = 0
  const take = () => {
    const part = Buffer.concat(gathered, length)
    gathered = []
    length = 0
    return part
  }
  for await (let chunk of chunks) {
    while (length + chunk.length >= partBytes) {
      const fitting = chunk.subarray(0, partBytes - length)
      chunk = chunk.subarray(fitting.length)
      gathered.push(fitting)
      length += fitting.length
      yield take()
    }
    gathered.push(chunk)
    length += chunk.length
  }
  if (length > 0) yield take()
}
