import { buffer } from 'node:stream/consumers'
import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape, newId, newUlid } from '../../../platform/ids.ts'
import type { ObjectStore } from '../../../platform/object-store/object-store.ts'
import { observeBytes } from '../../../platform/observed-bytes.ts'
import type { ByteRange } from '../../../platform/stored-bytes.ts'
import { optionalText } from '../../../platform/text.ts'
import { type ImageType, imageTypes } from '../images/image-types.ts'
import type {
  BeginMediaUploadInput,
  FinishMediaUploadInput,
  PrepareMediaUploadInput,
} from '../schema.generated.ts'
import type { MediaRow } from '../sources/media-row.ts'
import type { MediaWrites, UploadRow } from '../sources/media-writes.ts'
import { withinSeconds } from './lifetimes.ts'

/** A media, and whether its owner had these bytes already. */
export interface Stored {
  readonly media: MediaRow
  readonly deduped: boolean
}

/** What uploads are made with. */
export interface UploadParts {
  readonly actor: Actor | null
  readonly writes: MediaWrites
  readonly objects: ObjectStore
  readonly maxBytes: number
  /** Null: for ever. */
  readonly retentionDays: number | null
  readonly signal: AbortSignal
}

/** Where bytes come from, and what is said of them. */
export interface Arrival {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly filename: string | null
  /** What errors call them. */
  readonly param: string
}

/** As much of an image as has to be seen to tell its type and size. */
export const headBytes = 65_536
/** Long enough for the slowest upload. */
const unclaimedSeconds = 3_600
const maxFilenameLength = 255
/** Each holds files and buffers, and a payload may name a thousand. */
const completedAtOnce = 4
const linkSeconds = { least: 60, most: 3_600, usual: 900 }

/** Read when the first image comes: a start need not. */
const images = () => import('../images/inspect-image.ts')

/** How bytes become media. */
export function uploadService({ actor, writes, objects, maxBytes, retentionDays, signal }: UploadParts) {
  const owner = () => requireActor(actor).id

  /** Some images have more before their size than is kept of their beginning. */
  const rangesOf = (storageKey: string) => async (range: ByteRange) => {
    const bytes = await objects.read(storageKey, { range, signal })
    return bytes ? buffer(bytes) : Buffer.alloc(0)
  }

  /** Stores what arrives; `promisedId` and its type are those of a prepared upload. */
  async function store({ bytes, filename, param }: Arrival, promised?: UploadRow): Promise<Stored | null> {
    const ownerId = owner()
    const observed = await observeBytes(bytes, { headBytes, maxBytes, param })
    const { sniffImage, inspectImage } = await images()
    const { mime, extension } = sniffImage(observed.head, param)
    if (promised) assertPromised(promised, mime, param)
    const storageKey = objectKey(extension)
    await writes.announce(storageKey, unclaimedSeconds)
    try {
      await objects.write(storageKey, observed.stream, { contentType: mime, signal })
      const facts = observed.facts()
      const { width, height } = await inspectImage({
        head: observed.head,
        tail: facts.tail,
        size: facts.bytes,
        read: rangesOf(storageKey),
        param,
      })
      return await writes.claim({
        width,
        height,
        id: promised?.publicId ?? newId('media'),
        ownerId,
        storageKey,
        mimeType: mime,
        bytes: facts.bytes,
        sha256: facts.sha256,
        filename,
        retentionDays,
        isPromised: promised !== undefined,
      })
    } catch (error) {
      await writes.giveUp(storageKey)
      throw error
    }
  }

  async function complete(upload: UploadRow): Promise<Stored | null> {
    const { storageKey, filename, publicId } = upload
    const facts = await objects.head(storageKey)
    const bytes = facts && (await objects.read(storageKey, { signal }))
    if (!bytes) return null
    try {
      assertPromisedSize(upload, facts.size, 'file')
      return await store({ bytes, filename, param: 'file' }, upload)
    } catch (error) {
      // other bytes than were promised, or no image: the upload is spent
      if (error instanceof AppError && error.status < 500) await writes.forgetUpload(owner(), publicId)
      throw error
    } finally {
      bytes.destroy()
    }
  }

  return {
    /** @throws AppError `invalid_parameter`, `max_size_exceeded`, `media_storage_failed` */
    async store(arrival: Arrival): Promise<Stored> {
      const stored = await store({ ...arrival, filename: filenameOf(arrival.filename) })
      if (!stored) throw new Error('what nobody promised can’t have been given up')
      return stored
    },

    /** @throws AppError `invalid_parameter`, `max_size_exceeded` */
    async prepare({ contentType, bytes, filename, expiresIn }: PrepareMediaUploadInput) {
      const ownerId = owner()
      const mimeType = knownType(contentType)
      if (bytes != null && bytes < 1) throw invalid('bytes must be 1 or more.', 'bytes')
      if (bytes != null && bytes > maxBytes)
        throw new AppError('max_size_exceeded', `At most ${maxBytes} bytes are taken.`, { param: 'bytes' })
      const id = newId('media')
      const storageKey = `uploads/${id}`
      const seconds = withinSeconds(expiresIn, linkSeconds)
      const size = bytes == null ? {} : { size: bytes }
      const upload = {
        publicId: id,
        storageKey,
        mimeType,
        bytes: bytes ?? null,
        filename: filenameOf(filename),
      }
      await writes.prepare(ownerId, upload, seconds)
      const { url, headers, expiresAt } = await objects.signedPut(storageKey, {
        expiresIn: seconds,
        contentType: mimeType,
        ...size,
      })
      return { id, url, headers, expiresAt: new Date(expiresAt) }
    },

    /** Makes media of those ids that are prepared uploads whose bytes have come. Others are passed over. */
    async completeAny(ids: readonly string[]): Promise<void> {
      const uploads = await writes.prepared(owner(), ids)
      for (let start = 0; start < uploads.length; start += completedAtOnce) {
        const settled = await Promise.allSettled(uploads.slice(start, start + completedAtOnce).map(complete))
        const failed = settled.find((one) => one.status === 'rejected')
        if (failed) throw failed.reason
      }
    },

    /** @throws AppError `media_not_found` while there are no bytes, `invalid_parameter` for others than were promised */
    async complete(id: string): Promise<Stored | null> {
      const [upload] = hasIdShape('media', id) ? await writes.prepared(owner(), [id]) : []
      return upload ? complete(upload) : null
    },

    /** @throws AppError `invalid_parameter` for what does not begin as an image does */
    async begin({ head, param }: BeginMediaUploadInput) {
      owner()
      const { sniffImage } = await images()
      const { mime, extension } = sniffImage(Buffer.from(head, 'base64'), param)
      const storageKey = objectKey(extension)
      await writes.announce(storageKey, unclaimedSeconds)
      return { id: newId('media'), storageKey, contentType: mime }
    },

    /** @throws AppError `invalid_parameter` */
    async finish({
      id,
      storageKey,
      head,
      tail,
      bytes,
      sha256,
      filename,
      param,
    }: FinishMediaUploadInput): Promise<Stored> {
      const ownerId = owner()
      try {
        const { inspectImage } = await images()
        const { mime, width, height } = await inspectImage({
          head: Buffer.from(head, 'base64'),
          tail: Buffer.from(tail, 'base64'),
          size: bytes,
          read: rangesOf(storageKey),
          param,
        })
        const facts = { storageKey, mimeType: mime, width, height, bytes, sha256 }
        const rest = { id, ownerId, filename: filenameOf(filename), retentionDays, isPromised: false }
        const stored = await writes.claim({ ...facts, ...rest })
        if (!stored) throw new Error('what nobody promised can’t have been given up')
        return stored
      } catch (error) {
        await writes.giveUp(storageKey)
        throw error
      }
    },
  }
}

/** The service of one request. */
export type UploadService = ReturnType<typeof uploadService>

/** Nothing of the owner, and not the public id: a media's bytes may be those of an earlier one. */
function objectKey(extension: string): string {
  return `images/${newUlid()}.${extension}`
}

function filenameOf(filename: string | null | undefined): string | null {
  const name = filename?.split(/[/\\]/).at(-1)
  return optionalText(name, { param: 'filename', max: maxFilenameLength, singleLine: true })
}

function knownType(contentType: string): ImageType {
  const [plain = ''] = contentType.toLowerCase().split(';')
  const type = plain.trim() === 'image/jpg' ? 'image/jpeg' : plain.trim()
  const known = imageTypes.find((mime) => mime === type)
  if (!known) throw invalid(`content_type must be one of ${imageTypes.join(', ')}.`, 'content_type')
  return known
}

function assertPromisedSize({ bytes }: UploadRow, size: number, param: string): void {
  if (bytes !== null && size !== bytes)
    throw invalid(`${param} has ${size} bytes, and ${bytes} were promised.`, param)
}

function assertPromised({ mimeType }: UploadRow, mime: ImageType, param: string): void {
  if (mime !== mimeType) throw invalid(`${param} is ${mime}, and ${mimeType} was promised.`, param)
}

function invalid(message: string, param: string): AppError {
  return new AppError('invalid_parameter', message, { param })
}
