import { AppError } from '../../platform/errors.ts'
import { imageList } from '../../platform/openai/image-list.ts'
import {
  type ImageEditRequest,
  type ImageGenerationRequest,
  imageEditRequest,
  imageGenerationRequest,
} from '../../platform/openai/image-request.ts'
import { RawBody } from '../../platform/openai/raw-body.ts'
import { validated } from '../../platform/validate.ts'
import { imageFormBody } from '../files/image-form.ts'
import { CreateImageEditsDocument, CreateImagesDocument } from '../operations.generated.ts'
import { inferenceFailures } from '../present/inference-failures.ts'
import { sendRawBody } from '../raw-body.ts'
import { type FormArrival, type FormBody, handlerRoute, type Route } from '../route.ts'

const tag = 'Images'

/** What images can fail with beyond what every model can. */
const failures = [
  ...inferenceFailures,
  'not_found',
  'conversation_not_found',
  'conversation_full',
  'not_implemented',
  'media_storage_failed',
  'media_storage_not_configured',
] as const

const picture = 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z'

/** Contract 2.7. */
export const imageRoutes: readonly Route[] = [
  handlerRoute<ImageGenerationRequest>({
    method: 'post',
    path: '/v1/images/generations',
    operationId: 'createImages',
    summary: 'Make images of a prompt',
    description:
      'Each is kept as a media of yours: its `id` goes wherever an image is expected. With `conversation_id` the prompt and the images become items of it. Where no provider of images is connected, the built-in one writes the prompt on a picture.',
    tag,
    body: imageGenerationRequest,
    bodyLimit: 'large',
    examples: {
      one: { prompt: 'A lighthouse in the fog, as a woodcut' },
      several: { prompt: 'A lighthouse', n: 2, size: '512x512', response_format: 'b64_json' },
    },
    failures,
    async handle({ body, rawBody, context }, response) {
      const request = new RawBody(rawBody, body)
      const { createImages } = await context.graph.execute(CreateImagesDocument, { request }, context)
      sendRawBody(response, createImages)
    },
    response: imageList,
  }),
  handlerRoute<ImageEditRequest | undefined, unknown, RawBody>({
    method: 'post',
    path: '/v1/images/edits',
    operationId: 'createImageEdits',
    summary: 'Make images of images',
    description:
      'As JSON, or as `multipart/form-data` with files in `image` (or `image[]`, up to 16) and `mask`, and everything else as fields. `images` is another name of `image`. What is not a media of yours becomes one. Answers as `/v1/images/generations`, with the bytes unless `response_format` says otherwise.',
    tag,
    file: 'image',
    body: imageEditRequest,
    // OpenAI's JSON has a list of that name.
    aliases: { images: 'image' },
    bodyLimit: 'large',
    examples: { by_id: { prompt: 'Make it night', image: { id: picture }, response_format: 'url' } },
    failures: [
      ...failures,
      'invalid_media_reference',
      'invalid_parameter',
      'missing_parameter',
      'max_size_exceeded',
      'input_too_large',
    ],
    receive: formBody,
    async handle({ body, form, rawBody, context }, response) {
      const request = form ?? new RawBody(rawBody, body)
      const { createImageEdits } = await context.graph.execute(CreateImageEditsDocument, { request }, context)
      sendRawBody(response, createImageEdits)
    },
    response: imageList,
  }),
  handlerRoute({
    method: 'post',
    path: '/v1/images/variations',
    operationId: 'createImageVariations',
    summary: 'Vary an image: not there',
    description: 'Nobody makes variations; `/v1/images/edits` changes images.',
    tag,
    failures: ['not_implemented'],
    async handle() {
      throw new AppError('not_implemented', 'There are no variations. Use /v1/images/edits.')
    },
  }),
]

/** A form as JSON would have been: the same files are the same media, however often they come. */
async function formBody(arrival: FormArrival): Promise<FormBody<RawBody>> {
  const body = validated(imageEditRequest, await imageFormBody(arrival))
  const said = JSON.stringify(body)
  return { form: new RawBody(Buffer.from(said), body), said }
}
