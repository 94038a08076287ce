import { buffer } from 'node:stream/consumers'
import type { GuardedFetch } from '../../../platform/guarded-fetch/index.ts'

/** How images are fetched that come as links. */
export interface FetchTerms {
  readonly outbound: GuardedFetch
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** The most that is read; `mostImageBytes` unless given. */
  readonly maxBytes?: number
}

/** As large as an answer may be that has its images in it. */
export const mostImageBytes = 64 * 1024 * 1024

/**
 * The bytes of an image that a provider gives as a URL, inline or not. A provider's link is as foreign as any: it is not
 * followed into the private network.
 * @throws AppError `invalid_parameter`, `max_size_exceeded`, as the guarded fetch has it; Error for another status than 200
 */
export async function foreignImage(url: string, terms: FetchTerms): Promise<Buffer> {
  const inline = inlineImage(url)
  if (inline) return inline
  const { outbound, timeoutMs, signal, maxBytes = mostImageBytes } = terms
  const { status, body } = await outbound.fetch(url, { param: null, timeoutMs, maxBytes, signal })
  if (status === 200) return buffer(body)
  body.destroy()
  throw new Error(`The image's URL answered ${status}.`)
}

function inlineImage(url: string): Buffer | null {
  const marker = ';base64,'
  const at = url.startsWith('data:') ? url.indexOf(marker) : -1
  return at === -1 ? null : Buffer.from(url.slice(at + marker.length), 'base64')
}
