import type { StoredBytes } from '../stored-bytes.ts'

/** What a store knows of an object. */
export interface ObjectFacts {
  readonly size: number
  readonly contentType: string
}

/** A link to an object's bytes. */
export interface SignedUrl {
  readonly url: string
  /** Headers that must be sent with it, in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** How a download is signed. */
export interface SignedGetOptions {
  /** Seconds. */
  readonly expiresIn: number
  /** Sent as Content-Type whatever was stored. */
  readonly contentType: string
  /** The name that a browser saves it under. */
  readonly filename?: string
}

/** How an upload is signed: a PUT of another type, or of another size where one is given, is refused. */
export interface SignedPutOptions {
  /** Seconds. */
  readonly expiresIn: number
  readonly contentType: string
  readonly size?: number
}

/**
 * Where the bytes of media are: files, or a bucket. Keys are `/`-separated names of `[a-z0-9._-]`, none of which starts with a dot.
 * Each method throws AppError `media_storage_failed` (502) where the store can't be reached or refuses.
 */
export interface ObjectStore extends StoredBytes {
  /** Null where there is no such object. */
  head(key: string): Promise<ObjectFacts | null>
  /** Takes unknown keys in silence. */
  delete(keys: readonly string[]): Promise<void>
  /** A link for who has no credential of ours; a new one each time. Does not look whether the object is there. */
  signedGet(key: string, options: SignedGetOptions): Promise<SignedUrl>
  signedPut(key: string, options: SignedPutOptions): Promise<SignedUrl>
}
