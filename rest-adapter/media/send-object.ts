import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { inlineDisposition } from '../../platform/content-disposition.ts'
import { AppError } from '../../platform/errors.ts'
import type { ByteRange, StoredBytes } from '../../platform/stored-bytes.ts'
import type { StoredBytesFieldsFragment } from '../operations.generated.ts'

/** How the bytes may be kept by whoever reads them. */
export type CachePolicy = 'private, no-cache' | 'public, max-age=31536000, immutable'

/**
 * Answers with an object's bytes as they come from the store: whole, a range of them, or 304 for who has them already
 * (RFC 9110 13, 14). A browser that opens them is let run nothing.
 */
export async function sendObject(
  {
    request,
    response,
    signal,
  }: { readonly request: Request; readonly response: Response; readonly signal: AbortSignal },
  { mimeType, bytes, sha256, storageKey, filename }: StoredBytesFieldsFragment,
  store: StoredBytes,
  cacheControl: CachePolicy,
): Promise<void> {
  const etag = `"${sha256}"`
  response.setHeader('ETag', etag)
  response.setHeader('Cache-Control', cacheControl)
  response.setHeader('Accept-Ranges', 'bytes')
  if (isKnown(request, etag)) {
    response.status(304).end()
    return
  }
  const range = rangeOf(request, bytes, etag)
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${bytes}`)
    response.status(416).end()
    return
  }
  const source = await store.read(storageKey, { signal, ...(range ? { range } : {}) })
  if (!source) throw new AppError('media_not_found', 'The bytes of this media are gone.')
  response.status(range ? 206 : 200)
  if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${bytes}`)
  response.setHeader('Content-Type', mimeType)
  response.setHeader('Content-Length', range ? range.end - range.start + 1 : bytes)
  response.setHeader('Content-Disposition', inlineDisposition(filename ?? null))
  response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox")
  if (request.method === 'HEAD') {
    source.destroy()
    response.end()
    return
  }
  await pipeline(source, response)
}

/** Whether the client has these bytes. Unlike Express, a client that has caches ask anew is told so too. */
function isKnown({ headers }: Request, etag: string): boolean {
  const known = headers['if-none-match']?.split(',') ?? []
  return known.some((one) => ['*', etag, `W/${etag}`].includes(one.trim()))
}

/** The range that is asked for; none where several are, or where `If-Range` names other bytes. */
function rangeOf(request: Request, size: number, etag: string): ByteRange | 'unsatisfiable' | null {
  const condition = request.headers['if-range']
  if (condition !== undefined && condition !== etag) return null
  const ranges = request.range(size)
  if (ranges === -1) return 'unsatisfiable'
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null
  const [{ start, end } = { start: 0, end: size - 1 }] = ranges
  return { start, end }
}
