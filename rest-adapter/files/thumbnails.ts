import { buffer } from 'node:stream/consumers'
import { LRUCache } from 'lru-cache'
import type { Metadata } from 'sharp'
import { AppError } from '../../platform/errors.ts'
import type { StoredBytes } from '../../platform/stored-bytes.ts'

/** An image that is to be made smaller. */
export interface LargeImage {
  readonly key: string
  /** Names its bytes for ever. */
  readonly sha256: string
  readonly contentType: string
  /** In pixels. */
  readonly width: number
}

/** A smaller image. */
export interface Thumbnail {
  readonly bytes: Buffer
  readonly contentType: string
  /** A strong validator with its quotes. */
  readonly etag: string
}

/** Makes images smaller, and remembers them. */
export interface Thumbnails {
  /**
   * The image in one of a few widths, the least that is no narrower than was asked for. Null where the image itself is what fits: it is
   * narrow enough, or of a type that can't be made smaller.
   * @throws AppError `media_not_found`, `media_storage_failed`, `invalid_parameter` for an image that can't be decoded
   */
  of(image: LargeImage, width: number): Promise<Thumbnail | null>
}

/** Few, so that a thousand wishes are a handful of images. */
const widths = [64, 128, 256, 384, 512, 768, 1024, 1536, 2048]
const cacheBytes = 32 * 1024 * 1024
/** As many as an image may have that was stored (`maxPixels` of the media subgraph). */
const limitInputPixels = 100_000_000
/** Each decodes an image whole. */
const mostAtOnce = 2
/** The most memory that an image may take when it is decoded. */
const mostDecodedBytes = 400_000_000
/** The same for a deep one that can't be read line by line: it is held whole, and once more when it is turned. */
const mostHeldBytes = 100_000_000
const longestSeconds = 10

type Target = 'jpeg' | 'png' | 'webp'

/** A thumbnail that is to be made. */
interface Wish {
  readonly image: LargeImage
  readonly width: number
  readonly target: Target
}

/** What a thumbnail is sent as, by the type of its image. What moves stands still in it; BMP can't be read. */
const targets: Readonly<Record<string, Target>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'webp',
  'image/tiff': 'webp',
}

export function createThumbnails(store: Pick<StoredBytes, 'read'>): Thumbnails {
  const waiting: (() => void)[] = []
  let running = 0

  /** Who ends gives its turn to the one who has waited longest. */
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < mostAtOnce) running += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
  const make = async ({ image: { key, sha256 }, width, target }: Wish): Promise<Thumbnail> => {
    const source = await store.read(key)
    if (!source) throw new AppError('media_not_found', 'The bytes of this media are gone.')
    const { default: sharp } = await import('sharp')
    const whole = await buffer(source)
    try {
      const image = sharp(whole, { limitInputPixels })
      assertDecodable(await image.metadata())
      const bytes = await image
        .timeout({ seconds: longestSeconds })
        .rotate()
        // turned, a long strip is narrower than what was stored says: it would become a tower of gigapixels
        .resize({ width, withoutEnlargement: true })
        .toFormat(target)
        .toBuffer()
      return { bytes, contentType: `image/${target}`, etag: `"${sha256}-w${width}"` }
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      throw new AppError('invalid_parameter', 'This image can’t be decoded.', { param: 'w', cause })
    }
  }

  // whoever asks for one that is being made waits for it; it does not end with who asked first
  const thumbnails = new LRUCache<string, Thumbnail, Wish>({
    maxSize: cacheBytes,
    sizeCalculation: ({ bytes }) => bytes.length,
    fetchMethod: (_name, _stale, { context }) => inTurn(() => make(context)),
  })

  return {
    async of(image, asked) {
      const target = targets[image.contentType]
      const width = widths.find((one) => one >= asked) ?? (widths.at(-1) as number)
      if (!target || image.width <= width) return null
      const context = { image, width, target }
      return (await thumbnails.fetch(`${image.sha256} ${width}`, { context })) ?? null
    },
  }
}

/** Pixels say nothing of bytes: those of a deep image are eight each. @throws AppError `invalid_parameter` */
function assertDecodable({ width, height, channels, depth, isProgressive, orientation = 1 }: Metadata): void {
  const sample = depth === 'uchar' || depth === 'char' ? 1 : depth === 'ushort' || depth === 'short' ? 2 : 8
  const bytes = width * height * channels * sample
  const isHeld = isProgressive === true || orientation > 1
  if (bytes <= (isHeld && sample > 1 ? mostHeldBytes : mostDecodedBytes)) return
  throw new AppError('invalid_parameter', 'This image is too large to be made smaller.', { param: 'w' })
}
