import { type FetchTerms, foreignImage, mostImageBytes } from '../media/foreign-image.ts'
import { type JsonObject, malformedAnswer } from '../providers/index.ts'

/** An image as its provider sent it. */
export interface MadeImage {
  readonly bytes: Buffer
  readonly revisedPrompt: string | null
}

/** No provider makes more for one request: what comes after them is passed over. */
const mostImages = 10

/**
 * The images of a provider's answer, one after the other: however many links there are, no more is fetched than may be held.
 * @throws AppError `provider_error` where an entry has none, and where all of them are too large together
 */
export async function* madeImages(data: readonly JsonObject[], terms: FetchTerms): AsyncGenerator<MadeImage> {
  let room = mostImageBytes
  for (const entry of data.slice(0, mostImages)) {
    const bytes = await bytesOf(entry, { ...terms, maxBytes: room })
    room -= bytes.length
    if (room < 0) throw malformedAnswer('sent images that are too large')
    const { revised_prompt: revised } = entry
    yield { bytes, revisedPrompt: typeof revised === 'string' ? revised : null }
  }
}

async function bytesOf({ b64_json, url }: JsonObject, terms: FetchTerms): Promise<Buffer> {
  if (typeof b64_json === 'string') return Buffer.from(b64_json, 'base64')
  if (typeof url !== 'string') throw malformedAnswer('sent an image without its bytes')
  try {
    return await foreignImage(url, terms)
  } catch (cause) {
    throw malformedAnswer('sent a link to an image that can’t be fetched', cause)
  }
}
