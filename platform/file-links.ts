/** What a link of ours to a file allows whoever has it. */
export interface FileLink {
  readonly method: 'GET' | 'PUT'
  readonly key: string
  /** Unix seconds. */
  readonly expires: number
  readonly contentType: string
  /** How many bytes an upload must have; null leaves it open. */
  readonly size: number | null
  /** The name that a browser saves a download under. */
  readonly filename: string | null
}

/** What stands behind the `?` of a link, as the request gave it. */
export type LinkQuery = Readonly<Record<string, unknown>>

/** Tells links that this platform has signed from any others. */
export interface FileLinkVerifier {
  /** @throws AppError `permission_denied`, the same for whatever is wrong with it */
  verify(method: FileLink['method'], key: string, query: LinkQuery): FileLink
}
