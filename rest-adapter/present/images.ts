import type { ImageList } from '../../platform/openai/image-list.ts'
import type { GeneratedImagesFieldsFragment } from '../operations.generated.ts'

/** Contract 2.7: images as OpenAI's clients read them, with the ids that they are kept under. */
export function imageListJson({ createdAt, images, usage }: GeneratedImagesFieldsFragment): ImageList {
  return {
    created: Math.floor(Date.parse(createdAt) / 1000),
    data: images.map(({ media, b64Json, revisedPrompt }) => ({
      ...(media.link ? { url: media.link.url } : {}),
      ...(b64Json == null ? {} : { b64_json: b64Json }),
      id: media.id,
      ...(revisedPrompt == null ? {} : { revised_prompt: revisedPrompt }),
    })),
    usage: {
      total_tokens: usage.totalTokens,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      input_tokens_details: { text_tokens: usage.textTokens, image_tokens: usage.imageTokens },
    },
  }
}
