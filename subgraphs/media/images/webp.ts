import type { ImageBytes } from './image-bytes.ts'
import { type PixelSize, sizeByLibrary } from './pixel-size.ts'

/** As much as is looked at for the ends of other types. */
const longestPadding = 64

/** A WebP must be as long as its container says, or a few bytes longer. */
export function webpSize({ head, size }: ImageBytes): PixelSize | null {
  if (head.length < 30 || !hasSignature(head)) return null
  const containerBytes = head.readUInt32LE(4) + 8
  if (containerBytes > size || size > containerBytes + longestPadding) return null
  return sizeByLibrary('webp', head)
}

/** The start codes of both bitstreams (RFC 6386, section 9.1; WebP lossless, section 3); an extended file has none here. */
function hasSignature(head: Buffer): boolean {
  const kind = head.toString('latin1', 12, 16)
  if (kind === 'VP8 ') return head.toString('hex', 23, 26) === '9d012a'
  return kind === 'VP8X' || head[20] === 0x2f
}
