import { observeBytes } from './observed-bytes.ts'
import type { StoredBytes } from './stored-bytes.ts'

/** Bytes that are to become a media. */
export interface ArrivingBytes {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly filename: string | null
  readonly maxBytes: number
  /** What errors call them. */
  readonly param: string
  readonly signal: AbortSignal
}

/** The graph's two halves of an upload that comes beside it (`beginMediaUpload`, `finishMediaUpload`). */
export interface MediaUpload<Media> {
  begin(input: {
    head: string
    param: string
  }): Promise<{ id: string; storageKey: string; contentType: string }>
  finish(input: {
    id: string
    storageKey: string
    head: string
    tail: string
    bytes: number
    sha256: string
    filename: string | null
    param: string
  }): Promise<Media>
}

/**
 * Streams bytes into the store beside the graph: it says where, by their first ones, and makes the media when the last one is
 * there.
 * @throws AppError `invalid_parameter` for what is no image, `max_size_exceeded`, `media_storage_failed`
 */
export async function uploadMedia<Media>(
  { bytes, filename, maxBytes, param, signal }: ArrivingBytes,
  store: Pick<StoredBytes, 'write'>,
  { begin, finish }: MediaUpload<Media>,
): Promise<Media> {
  const observed = await observeBytes(bytes, { maxBytes, param })
  const head = observed.head.toString('base64')
  const { id, storageKey, contentType } = await begin({ head, param })
  await store.write(storageKey, observed.stream, { contentType, signal })
  const { tail, ...facts } = observed.facts()
  return finish({ id, storageKey, head, tail: tail.toString('base64'), ...facts, filename, param })
}
