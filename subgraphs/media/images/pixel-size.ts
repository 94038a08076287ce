import { imageSize } from 'image-size'

/** In pixels. */
export interface PixelSize {
  readonly width: number
  readonly height: number
}

/** More than the headers of these types have. */
const headerBytes = 64

/**
 * The size by image-size, for the types of which it reads what decoders read. That is not so for JPEG (it searches for the frame among
 * bytes that decoders skip), TIFF (it reads on behind the directory, and the last of two equal tags counts) and old
 * bitmaps: a small size could be feigned there.
 */
export function sizeByLibrary(type: 'png' | 'gif' | 'webp' | 'bmp', head: Buffer): PixelSize | null {
  try {
    // A copy with memory of its own: image-size reads on behind the end of a view, into whatever lies there.
    const size = imageSize(Uint8Array.from(head.subarray(0, headerBytes)))
    return size.type === type ? size : null
  } catch (error) {
    // Its word for a file that it can't read, and what it meets where a file is shorter than its header.
    if (error instanceof TypeError || error instanceof RangeError) return null
    throw error
  }
}
