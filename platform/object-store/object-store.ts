import type { StoredBytes } from '../stored-bytes.ts'

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
  /** Whole seconds. */
  readonly expiresIn: number
  /** Sent as Content-Type whatever was stored. */
  readonly contentType: string
  /** The name that a browser saves it under. */
  readonly filename?: string
}

/** How an upload is signed: a PUT of another type, or of another size where one is given, is refused. */
export interface SignedPutOptions {
  /** Whole seconds. */
  readonly expiresIn: number
  readonly contentType: string
  readonly size?: number
}

/**
 * Where the bytes of media are: files, or a bucket. A link is good as often as it is used until it expires: who has one to
 * upload may replace what was uploaded.
 */
export interface ObjectStore extends StoredBytes {
  /** Takes unknown keys in silence. */
  delete(keys: readonly string[]): Promise<void>
  /** A link for who has no credential of ours. Does not look whether the object is there. */
  signedGet(key: string, options: SignedGetOptions): Promise<SignedUrl>
  signedPut(key: string, options: SignedPutOptions): Promise<SignedUrl>
}
