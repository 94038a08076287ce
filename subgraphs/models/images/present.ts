import type { ImageList } from '../../../platform/openai/image-list.ts'
import type { ImageCall } from './image-call.ts'
import type { GeneratedImages } from './service.ts'

/** What each task answers with where nobody says (contract 2.7). */
const usualFormat = { generate: 'url', edit: 'b64_json' } as const

/** Images as OpenAI's clients read them, with the ids that they are kept under. */
export function imageListOf(
  { task, request }: ImageCall,
  { createdAt, images, rendering, usage }: GeneratedImages,
): ImageList {
  const asBytes = (request.response_format ?? usualFormat[task]) === 'b64_json'
  return {
    created: Math.floor(createdAt.getTime() / 1000),
    ...rendering,
    data: images.map(({ id, url, bytes, revisedPrompt }) => ({
      ...(asBytes ? { b64_json: bytes.toString('base64') } : { url }),
      id,
      ...(revisedPrompt === null ? {} : { revised_prompt: revisedPrompt }),
    })),
    usage: {
      total_tokens: usage.totalTokens,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      input_tokens_details: { text_tokens: usage.textTokens, image_tokens: usage.imageTokens },
    },
  }
}
