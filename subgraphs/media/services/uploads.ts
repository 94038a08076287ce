import { buffer } from 'node:stream/consumers'
import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape, newId, newUlid } from '../../../platform/ids.ts'
import type { ObjectStore } from '../../../platform/object-store/object-store.ts'
import { type ByteFacts, observeBytes, tooLarge } from '../../../platform/observed-bytes.ts'
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

/** An object that was written, and what went by when it was. */
interface WrittenObject {
  readonly id: string
  readonly storageKey: string
  readonly head: Buffer
  readonly facts: ByteFacts
  readonly filename: string | null
  readonly param: string
  readonly isPromised: boolean
}

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

  /** Makes the media of an object that is in the store; what is no whole image is given up. */
  async function claim({ head, facts, ...object }: WrittenObject): Promise<Stored | null> {
    const { bytes, sha256, tail } = facts
    const { inspectImage } = await images()
    const read = rangesOf(object.storageKey)
    const inspected = await inspectImage({ head, tail, size: bytes, read, param: object.param })
    return writes.claim({
      id: object.id,
      ownerId: owner(),
      storageKey: object.storageKey,
      mimeType: inspected.mime,
      bytes,
      sha256,
      width: inspected.width,
      height: inspected.height,
      filename: object.filename,
      retentionDays,
      isPromised: object.isPromised,
    })
  }

  /** Whatever goes wrong, the object is rubbish. */
  async function orGiveUp<T>(storageKey: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await writes.giveUp(storageKey)
      throw error
    }
  }

  /** Stores what arrives: for a prepared upload under the id that was promised, if it is of the type that was. */
  async function store({ bytes, filename, param }: Arrival, promised?: UploadRow): Promise<Stored | null> {
    owner()
    const observed = await observeBytes(bytes, { maxBytes, param })
    const { head } = observed
    const { sniffImage } = await images()
    const { mime, extension } = sniffImage(head, param)
    if (promised) assertPromised(promised, mime, param)
    const id = promised?.publicId ?? newId('media')
    const isPromised = promised !== undefined
    const storageKey = objectKey(extension)
    await writes.announce(storageKey, unclaimedSeconds)
    return orGiveUp(storageKey, async () => {
      await objects.write(storageKey, observed.stream, { contentType: mime, signal })
      return claim({ id, storageKey, head, facts: observed.facts(), filename, param, isPromised })
    })
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
      if (isRefusal(error)) await writes.forgetUpload(owner(), publicId)
      throw error
    } finally {
      bytes.destroy()
    }
  }

  return {
    /** @throws AppError `invalid_parameter`, `max_size_exceeded`, `media_storage_failed` */
    async store(arrival: Arrival): Promise<Stored> {
      return assertStored(await store({ ...arrival, filename: filenameOf(arrival.filename) }))
    },

    /** @throws AppError `invalid_parameter`, `max_size_exceeded` */
    async prepare({ contentType, bytes, filename, expiresIn }: PrepareMediaUploadInput) {
      const ownerId = owner()
      const mimeType = knownType(contentType)
      if (bytes != null && bytes < 1) throw invalid('bytes must be 1 or more.', 'bytes')
      if (bytes != null && bytes > maxBytes) throw tooLarge(maxBytes, 'bytes')
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

    /**
     * Makes media of those ids that are prepared uploads whose bytes have come. Others are passed over.
     * @returns the refusals of bytes that were not those that were promised
     */
    async completeAny(ids: readonly string[]): Promise<AppError[]> {
      const uploads = await writes.prepared(owner(), ids)
      const refusals: AppError[] = []
      for (let start = 0; start < uploads.length; start += completedAtOnce) {
        const settled = await Promise.allSettled(uploads.slice(start, start + completedAtOnce).map(complete))
        for (const one of settled) {
          if (one.status === 'fulfilled') continue
          if (!isRefusal(one.reason)) throw one.reason
          refusals.push(one.reason)
        }
      }
      return refusals
    },

    /** Null where there is no such upload, or no bytes of it yet. @throws AppError `invalid_parameter` for others than were promised */
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
      owner()
      const facts = { bytes, sha256, tail: Buffer.from(tail, 'base64') }
      const stored = await orGiveUp(storageKey, () =>
        claim({
          id,
          storageKey,
          head: Buffer.from(head, 'base64'),
          facts,
          filename: filenameOf(filename),
          param,
          isPromised: false,
        }),
      )
      return assertStored(stored)
    },
  }
}

/** The service of one request. */
export type UploadService = ReturnType<typeof uploadService>

/** Whether it is the bytes that are at fault. */
function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.status < 500
}

function assertStored(stored: Stored | null): Stored {
  if (stored) return stored
  throw new Error('what nobody promised can’t have been given up')
}

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
