import type { AppError } from '../../../platform/errors.ts'
import { bmpSize } from './bmp.ts'
import { gifSize } from './gif.ts'
import { ImageBytes, type ImageSource } from './image-bytes.ts'
import { broken, notAnImage, tooManyPixels } from './image-failures.ts'
import type { ImageType } from './image-types.ts'
import { jpegSize } from './jpeg.ts'
import type { PixelSize } from './pixel-size.ts'
import { pngSize } from './png.ts'
import { tiffSize } from './tiff.ts'
import { webpSize } from './webp.ts'

/** What the first bytes of an image tell of it. */
export interface ImageKind {
  readonly mime: ImageType
  /** Without a dot. */
  readonly extension: 'jpg' | 'png' | 'webp' | 'gif' | 'bmp' | 'tiff'
}

/** What the bytes of an image tell of it. */
export interface ImageFacts extends ImageKind, PixelSize {}

/** An image to be inspected, and the wire name of the field that errors name. */
export interface Inspection extends ImageSource {
  readonly param: string | null
}

interface Format extends ImageKind {
  /** How its files begin, in hexadecimal digits. */
  readonly signature: RegExp
  /** Reads the size, and looks whether the end is there. Null for what a decoder could make nothing of. */
  readonly measure: (bytes: ImageBytes) => PixelSize | null | Promise<PixelSize | null>
}

const formats: readonly Format[] = [
  { mime: 'image/jpeg', extension: 'jpg', signature: /^ffd8ff/, measure: jpegSize },
  { mime: 'image/png', extension: 'png', signature: /^89504e470d0a1a0a/, measure: pngSize },
  // RIFF, four bytes of length, WEBP, VP8 and what kind of it.
  {
    mime: 'image/webp',
    extension: 'webp',
    signature: /^52494646.{8}57454250565038(20|4c|58)/,
    measure: webpSize,
  },
  { mime: 'image/gif', extension: 'gif', signature: /^47494638(37|39)61/, measure: gifSize },
  { mime: 'image/bmp', extension: 'bmp', signature: /^424d/, measure: bmpSize },
  { mime: 'image/tiff', extension: 'tiff', signature: /^(49492a00|4d4d002a)/, measure: tiffSize },
]

/** A decoder holds four bytes for each pixel: 400 MB for an image of this size, which may be a few kilobytes long. */
export const maxPixels = 100_000_000

/** Beyond the longest panoramas of cameras; whoever scales an image pays for long rows and columns whatever their number is. */
export const maxSide = 30_000

/** What an image is by its first 16 bytes, which may be a lie as yet. @throws AppError `invalid_parameter` for none of the six types */
export function sniffImage(head: Uint8Array, param: string | null): ImageKind {
  const { mime, extension } = formatOf(head, param)
  return { mime, extension }
}

/**
 * What an image is, from its bytes alone: what it is called and what its sender says of it count for nothing. Sizes are as stored,
 * before a rotation that metadata may ask for. It decodes no pixel, so that a whole header with nonsense behind it passes.
 *
 * @throws AppError `invalid_parameter` for what is none of the six types, cut short, without area or too large to be decoded;
 * whatever `read` throws
 */
export async function inspectImage({ param, ...source }: Inspection): Promise<ImageFacts> {
  const { mime, extension, measure } = formatOf(source.head, param)
  const size = await measure(new ImageBytes(source))
  const fault = size === null ? broken(param) : faultOf(size, param)
  if (size === null || fault) throw fault
  return { mime, extension, width: size.width, height: size.height }
}

function formatOf(head: Uint8Array, param: string | null): Format {
  const start = Buffer.from(head.subarray(0, 16)).toString('hex')
  const format = formats.find(({ signature }) => signature.test(start))
  if (!format) throw notAnImage(param)
  return format
}

function faultOf({ width, height }: PixelSize, param: string | null): AppError | null {
  if (width < 1 || height < 1) return broken(param)
  if (width > maxSide || height > maxSide || width * height > maxPixels)
    return tooManyPixels(param, { maxPixels, maxSide })
  return null
}
