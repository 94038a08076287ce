import type { ByteRange } from '../../../platform/stored-bytes.ts'

/** An image, of which not all bytes need be at hand. */
export interface ImageSource {
  /** The first bytes: 64 at least, where there are as many. 64 KB are enough for nearly all images. */
  readonly head: Uint8Array
  /** The last 64 bytes; all where there are fewer. */
  readonly tail: Uint8Array
  /** Of all of it, in bytes. */
  readonly size: number
  /**
   * Other bytes, for photos with long metadata and TIFFs that have their directory at the end: at most 16 times, 256 KB at most.
   * Without it such images are refused as broken.
   */
  readonly read?: (range: ByteRange) => Promise<Uint8Array>
}

const windowBytes = 256 * 1024
/** 4 MB: more metadata than cameras and editors put before a picture. */
const maxReads = 16

/** The bytes of an image by their place. */
export class ImageBytes {
  readonly head: Buffer
  readonly tail: Buffer
  readonly size: number
  readonly #source: ImageSource
  #window = Buffer.alloc(0)
  #windowStart = 0
  #reads = 0

  constructor(source: ImageSource) {
    this.#source = source
    this.head = asBuffer(source.head)
    this.tail = asBuffer(source.tail)
    this.size = source.size
  }

  /** `length` bytes from `start`, fewer at the end of the image; none where they lie outside of it, or can't be had. */
  async at(start: number, length: number): Promise<Buffer> {
    const end = Math.min(start + Math.min(length, windowBytes), this.size)
    if (start < 0 || start >= end) return Buffer.alloc(0)
    const tailStart = this.size - this.tail.length
    if (end <= this.head.length) return this.head.subarray(start, end)
    if (start >= tailStart) return this.tail.subarray(start - tailStart, end - tailStart)
    if (!this.#covers(start, end)) await this.#move(start)
    return this.#window.subarray(start - this.#windowStart, end - this.#windowStart)
  }

  #covers(start: number, end: number): boolean {
    return start >= this.#windowStart && end <= this.#windowStart + this.#window.length
  }

  async #move(start: number): Promise<void> {
    const canRead = this.#source.read !== undefined && this.#reads < maxReads
    this.#reads++
    const range = { start, end: Math.min(start + windowBytes, this.size) - 1 }
    this.#window = canRead ? asBuffer((await this.#source.read?.(range)) ?? Buffer.alloc(0)) : Buffer.alloc(0)
    this.#windowStart = start
  }
}

function asBuffer(bytes: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}
