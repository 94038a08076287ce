import type { ImageBytes } from './image-bytes.ts'
import { type PixelSize, sizeByLibrary } from './pixel-size.ts'

const fileHeaderBytes = 14
/** By their length: that of OS/2 1.x, and those of Windows and OS/2 2.x that begin alike. */
const coreHeader = 12
const infoHeaders = new Set([40, 52, 56, 64, 108, 124])
const depths = new Set([1, 2, 4, 8, 16, 24, 32])
/** Rows of pixels as they are: BI_RGB, BI_BITFIELDS and BI_ALPHABITFIELDS. */
const plain = new Set([0, 3, 6])
/** BI_RLE8 and BI_RLE4. What else there is packs a JPEG or PNG for a printer. */
const runLength = new Set([1, 2])

interface Layout extends PixelSize {
  readonly planes: number
  readonly depth: number
  readonly compression: number
  /** What the header tells of the length of the pixels; counts where they are compressed. */
  readonly pixelBytes: number
}

/** A bitmap must be as long as its header and its rows say. Its signature is two letters, and so the header must make sense. */
export function bmpSize({ head, size }: ImageBytes): PixelSize | null {
  const layout = layoutOf(head)
  if (layout?.planes !== 1 || !depths.has(layout.depth)) return null
  const needed = neededBytes(layout)
  if (needed === null || head.readUInt32LE(2) > size || head.readUInt32LE(10) + needed > size) return null
  return { width: layout.width, height: layout.height }
}

function layoutOf(head: Buffer): Layout | null {
  if (head.length < fileHeaderBytes + coreHeader) return null
  const headerBytes = head.readUInt32LE(fileHeaderBytes)
  if (headerBytes === coreHeader) {
    return {
      width: head.readUInt16LE(18),
      height: head.readUInt16LE(20),
      planes: head.readUInt16LE(22),
      depth: head.readUInt16LE(24),
      compression: 0,
      pixelBytes: 0,
    }
  }
  const size = sizeByLibrary('bmp', head)
  if (!size || !infoHeaders.has(headerBytes) || head.length < fileHeaderBytes + headerBytes) return null
  return {
    ...size,
    planes: head.readUInt16LE(26),
    depth: head.readUInt16LE(28),
    compression: head.readUInt32LE(30),
    pixelBytes: head.readUInt32LE(34),
  }
}

/** Rows are whole numbers of 32 bits. */
function neededBytes({ width, height, depth, compression, pixelBytes }: Layout): number | null {
  if (plain.has(compression)) return Math.ceil((width * depth) / 32) * 4 * height
  return runLength.has(compression) ? pixelBytes : null
}
