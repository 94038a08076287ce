import {
  type ImageEditRequest,
  type ImageGenerationRequest,
  imageEditRequest,
  imageGenerationRequest,
} from '../../../platform/openai/image-request.ts'
import { rawBodyOf } from '../../../platform/openai/raw-body.ts'
import { validated } from '../../../platform/validate.ts'
import type { EditImagesInput, GenerateImagesInput, ImageSourceInput } from '../schema.generated.ts'
import { wireFields, withoutAbsent } from '../wire-input.ts'

/** Images to be made, as the wire writes it: of nothing, or of others. */
export type ImageCall =
  | { readonly task: 'generate'; readonly request: ImageGenerationRequest }
  | { readonly task: 'edit'; readonly request: ImageEditRequest }

/** A request of the REST adapter, which has checked the body. Between processes only its text travels, so it is read again. */
export function generationFromRawBody(value: unknown): ImageCall {
  const { bytes, parsed } = rawBodyOf(value)
  const request = parsed ?? validated(imageGenerationRequest, JSON.parse(bytes.toString()))
  return { task: 'generate', request: request as ImageGenerationRequest }
}

/** The same for edits. */
export function editFromRawBody(value: unknown): ImageCall {
  const { bytes, parsed } = rawBodyOf(value)
  const request = parsed ?? validated(imageEditRequest, JSON.parse(bytes.toString()))
  return { task: 'edit', request: request as ImageEditRequest }
}

/** A request of a GraphQL client. Errors name the fields as the wire does. @throws AppError `invalid_parameter` */
export function generationFromInput(input: GenerateImagesInput): ImageCall {
  return { task: 'generate', request: validated(imageGenerationRequest, wireFields(input)) }
}

/** The same for edits. */
export function editFromInput({ images, mask, ...input }: EditImagesInput): ImageCall {
  const written = {
    ...wireFields(input),
    image: images.map(wireSource),
    ...(mask ? { mask: wireSource(mask) } : {}),
  }
  return { task: 'edit', request: validated(imageEditRequest, written) }
}

function wireSource({ id, url, b64Json }: ImageSourceInput): object {
  return withoutAbsent({ id, url, b64_json: b64Json })
}
