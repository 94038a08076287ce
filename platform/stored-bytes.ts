import type { Readable } from 'node:stream'

/** Some bytes of an object: both ends count, from 0. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** What a store knows of an object. Of what type it is, the graph knows. */
export interface ObjectFacts {
  readonly size: number
}

/** How an object is written. */
export interface WriteOptions {
  /** Told to whoever reads it from a bucket directly; files keep none. */
  readonly contentType: string
  /** How many bytes will come, where that is known: more or fewer are refused. */
  readonly size?: number
  /** Ends the writing; nothing is left of it. */
  readonly signal?: AbortSignal
}

/** What of an object is read. */
export interface ReadOptions {
  /** What lies behind the object's end is left out. */
  readonly range?: ByteRange
  /** Ends the stream, too. */
  readonly signal?: AbortSignal
}

/**
 * The bytes behind the graph: what moves them in and out beside it. Which key means what, and who may read it, only the
 * graph knows. Keys are `/`-separated names of `[a-z0-9._-]`, none of which starts with a dot.
 *
 * Each method throws AppError `media_storage_failed` (502) where the store can't be reached or refuses,
 * `media_storage_not_configured` (503) where there is none, and `invalid_parameter` for what can be no key.
 */
export interface StoredBytes {
  /**
   * Writes an object from a stream, with backpressure and without holding it whole. It is there whole or not at all: a
   * stream that fails leaves nothing. Replaces what was there. The stream is destroyed where this fails.
   * @returns how many bytes were written
   * @throws the stream's own error; AppError `invalid_parameter` where `size` was not true
   */
  write(key: string, bytes: Readable, options: WriteOptions): Promise<number>
  /** The object's bytes, or some of them, to be read or destroyed; null where there is no such object. */
  read(key: string, options?: ReadOptions): Promise<Readable | null>
  /** Null where there is no such object. */
  head(key: string): Promise<ObjectFacts | null>
}
