import type { ImageBytes } from './image-bytes.ts'
import { type PixelSize, sizeByLibrary } from './pixel-size.ts'

/** The end of the last block, and the trailer. */
const end = [0, 0x3b]

/** The size is that of the screen on which the frames are drawn. A GIF must end in its trailer, but for zeros that pad it. */
export function gifSize({ head, tail }: ImageBytes): PixelSize | null {
  const last = tail.findLastIndex((byte) => byte !== 0)
  if (tail[last] !== end[1] || tail[last - 1] !== end[0]) return null
  return sizeByLibrary('gif', head)
}
