import type { ImageEditRequest, ImageGenerationRequest } from '../../../platform/openai/image-request.ts'
import type { JsonObject } from '../providers/index.ts'
import { withoutAbsent } from '../wire-input.ts'
import type { ImageMaker } from './image-makers.ts'

/** An image that goes with a request. */
export interface EnclosedImage {
  readonly bytes: Buffer
  readonly mimeType: string
}

/** The images that go with a request. */
export interface EnclosedImages {
  readonly images: readonly EnclosedImage[]
  readonly mask: EnclosedImage | null
}

/** What a request says to the platform alone. */
const ours = new Set([
  'provider_id',
  'conversation_id',
  'store',
  'response_format',
  'stream',
  'image',
  'mask',
])

/** The body of a request for images. The bytes are asked for with the answer: a link would have to be followed. */
export function generationBody(
  request: ImageGenerationRequest,
  { modelId }: ImageMaker,
  defaultSize: string,
): JsonObject {
  return {
    ...theirs(request),
    model: modelId,
    size: request.size ?? defaultSize,
    n: request.n ?? 1,
    ...bytesWanted(modelId),
  }
}

/** The form of a request to change images. */
export function editForm(
  request: ImageEditRequest,
  { modelId }: ImageMaker,
  { images, mask }: EnclosedImages,
): FormData {
  const form = new FormData()
  const { size, ...fields } = theirs(request)
  const told = { ...fields, model: modelId, n: request.n ?? 1, ...bytesWanted(modelId) }
  for (const [name, value] of Object.entries(told))
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  if (size !== undefined && size !== 'original') form.append('size', String(size))
  const name = images.length > 1 ? 'image[]' : 'image'
  for (const [at, image] of images.entries()) form.append(name, file(image), nameOf(image, `image-${at + 1}`))
  if (mask) form.append('mask', file(mask), nameOf(mask, 'mask'))
  return form
}

/** Where a provider takes edits, when it is not OpenAI's place (contract 4.1). */
export function editPath({ provider }: ImageMaker): string | null {
  const { image_edit_path: path } = provider.metadata
  return typeof path === 'string' && path !== '' ? path : null
}

function theirs(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return withoutAbsent(Object.fromEntries(Object.entries(request).filter(([name]) => !ours.has(name))))
}

/** OpenAI's newer models send bytes in any case, and refuse to be told so. */
function bytesWanted(modelId: string): { response_format?: 'b64_json' } {
  return /(^|\/)(chatgpt|gpt)-image/.test(modelId) ? {} : { response_format: 'b64_json' }
}

function file({ bytes, mimeType }: EnclosedImage): Blob {
  return new Blob([bytes as Buffer<ArrayBuffer>], { type: mimeType })
}

function nameOf({ mimeType }: EnclosedImage, name: string): string {
  return `${name}.${mimeType.replace('image/', '')}`
}
