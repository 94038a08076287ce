import type { FileLinkVerifier } from '../../platform/file-links.ts'
import type { StoredBytes } from '../../platform/stored-bytes.ts'
import type { Thumbnails } from './thumbnails.ts'

/** What routes move beside the graph: bytes that it has named, and links that it has made. */
export interface StoredFiles {
  readonly bytes: StoredBytes
  readonly links: FileLinkVerifier
  readonly thumbnails: Thumbnails
  /** The most bytes that one may have. */
  readonly maxBytes: number
  /** Whether a media's bytes are handed through; links to them are given otherwise. */
  readonly proxiesDownloads: boolean
}
