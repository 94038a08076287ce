import { buffer } from 'node:stream/consumers'
import { AppError } from '../../../platform/errors.ts'
import type { GuardedFetch } from '../../../platform/guarded-fetch/index.ts'
import { type JsonObject, malformedAnswer } from '../providers/index.ts'

/** An image as its provider sent it. */
export interface MadeImage {
  readonly bytes: Buffer
  readonly revisedPrompt: string | null
}

/** How images are fetched that come as links. */
export interface FetchTerms {
  readonly outbound: GuardedFetch
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const mostBytes = 64 * 1024 * 1024

/** The images of a provider's answer. @throws AppError `provider_error` where an entry has none */
export function madeImages(data: readonly JsonObject[], terms: FetchTerms): Promise<MadeImage[]> {
  return Promise.all(
    data.map(async (entry) => ({
      bytes: await bytesOf(entry, terms),
      revisedPrompt: typeof entry.revised_prompt === 'string' ? entry.revised_prompt : null,
    })),
  )
}

async function bytesOf({ b64_json, url }: JsonObject, terms: FetchTerms): Promise<Buffer> {
  if (typeof b64_json === 'string') return Buffer.from(b64_json, 'base64')
  if (typeof url !== 'string') throw malformedAnswer('sent an image without its bytes')
  const [, inline] = /^data:[^,]*;base64,(.*)$/s.exec(url) ?? []
  return inline === undefined ? fetched(url, terms) : Buffer.from(inline, 'base64')
}

/** A provider’s link is as foreign as any: it is not followed into the private network. */
async function fetched(url: string, { outbound, timeoutMs, signal }: FetchTerms): Promise<Buffer> {
  try {
    const { status, body } = await outbound.fetch(url, {
      param: null,
      timeoutMs,
      maxBytes: mostBytes,
      signal,
    })
    if (status === 200) return await buffer(body)
    body.destroy()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
  throw malformedAnswer('sent a link to an image that can’t be fetched')
}
