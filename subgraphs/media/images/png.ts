import type { ImageBytes } from './image-bytes.ts'
import { type PixelSize, sizeByLibrary } from './pixel-size.ts'

/** The IHDR that must come first: 13 bytes long. */
const firstChunk = Buffer.from('\0\0\0\x0dIHDR', 'latin1')
/** The IEND chunk, which is the same in all files, checksum and all. */
const lastChunk = Buffer.from('\0\0\0\0IEND\xae\x42\x60\x82', 'latin1')

/** A PNG must have its last chunk within the last bytes: some writers pad. */
export function pngSize({ head, tail }: ImageBytes): PixelSize | null {
  if (!head.subarray(8, 16).equals(firstChunk) || !tail.includes(lastChunk)) return null
  return sizeByLibrary('png', head)
}
