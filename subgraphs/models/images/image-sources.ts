import { AppError } from '../../../platform/errors.ts'
import type { OwnImage, OwnImages } from '../media/own-images.ts'
import type { ImageCall } from './image-call.ts'
import type { EnclosedImages } from './provider-request.ts'

/** The images that are to be changed. */
export interface ImageSources {
  readonly images: readonly OwnImage[]
  readonly mask: OwnImage | null
}

/** What the images of a request may have together, in bytes: they are sent at once. */
const mostBytes = 50_000_000

/** The images that a request names or encloses; none for one that makes images of nothing. @throws AppError `input_too_large`, and what `OwnImages.of` throws */
export async function sourcesOf(call: ImageCall, own: OwnImages): Promise<ImageSources> {
  if (call.task === 'generate') return { images: [], mask: null }
  const { image, mask } = call.request
  const images: OwnImage[] = []
  const written = Array.isArray(image) ? image : [image]
  // One after the other: each may be fetched, and is held while it is stored.
  for (const [at, one] of written.entries())
    images.push(await own.of(one, Array.isArray(image) ? `image[${at}]` : 'image'))
  const sources = { images, mask: mask == null ? null : await own.of(mask, 'mask') }
  if (bytesOf(sources) <= mostBytes) return sources
  throw new AppError('input_too_large', 'The images are too large to be sent together.', { param: 'image' })
}

/** How many they are together. */
export function bytesOf({ images, mask }: ImageSources): number {
  return images.reduce((sum, { bytes }) => sum + bytes, mask?.bytes ?? 0)
}

/** Reads them. To be called where a provider is there to take them: who waits for one must not hold them. */
export async function enclosedImages(
  { images, mask }: ImageSources,
  own: OwnImages,
): Promise<EnclosedImages> {
  const enclosed = async (image: OwnImage) => ({
    bytes: await own.bytes(image),
    mimeType: image.mimeType,
  })
  return {
    images: await Promise.all(images.map(enclosed)),
    mask: mask && (await enclosed(mask)),
  }
}
