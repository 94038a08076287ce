import { type FetchTerms, foreignImage } from '../media/foreign-image.ts'
import { type JsonObject, malformedAnswer } from '../providers/index.ts'

/** An image as its provider sent it. */
export interface MadeImage {
  readonly bytes: Buffer
  readonly revisedPrompt: string | null
}

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
  try {
    return await foreignImage(url, terms)
  } catch (error) {
    if (terms.signal.aborted) throw error
    throw malformedAnswer('sent a link to an image that can’t be fetched')
  }
}
