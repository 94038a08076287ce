import type { Readable } from 'node:stream'

/** Some bytes of an object: both ends count, from 0. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** How an object is written. */
export interface WriteOptions {
  /** Told to whoever reads it from the store directly. */
  readonly contentType: string
  /** How many bytes will come, where that is known. */
  readonly size?: number
  /** Ends the writing; nothing is left of it. */
  readonly signal?: AbortSignal
}

/**
 * The bytes behind the graph: what moves them in and out beside it. Which key means what, and who may read it, only the
 * graph knows.
 */
export interface StoredBytes {
  /**
   * Writes an object from a stream, with backpressure and without holding it whole. It is there whole or not at all: a stream that fails
   * leaves nothing. Replaces what was there.
   * @returns how many bytes were written
   * @throws the stream's own error; AppError `media_storage_failed` where the store fails
   */
  write(key: string, bytes: Readable, options: WriteOptions): Promise<number>
  /** The object's bytes, or some of them; null where there is no such object. @throws AppError `media_storage_failed` */
  read(
    key: string,
    options?: { readonly range?: ByteRange; readonly signal?: AbortSignal },
  ): Promise<Readable | null>
}
