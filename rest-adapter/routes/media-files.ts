import type { Response } from 'express'
import { z } from 'zod'
import type { RequestContext } from '../../platform/context.ts'
import { AppError } from '../../platform/errors.ts'
import type { ReceivedMedia } from '../files/receive-form.ts'
import { type SentObject, sendBytes, sendWhole } from '../files/send-bytes.ts'
import { mediaUploadRate } from '../media-upload-rate.ts'
import {
  CreateMediaDocument,
  MediaBytesDocument,
  MediaDocument,
  PublicMediaDocument,
  type StoredBytesFieldsFragment,
} from '../operations.generated.ts'
import { mediaJson, mediaResource, storedJson, storedMedia } from '../present/media.ts'
import { type FormArrival, type FormBody, handlerRoute, type Route, type RouteInput } from '../route.ts'

const tag = 'Media'

const uploadBody = z.object({
  remote_url: z.string().nullish(),
  data_url: z.string().nullish(),
  filename: z.string().nullish(),
  user_id: z.string().nullish(),
})

const widthText = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, 'must be a whole number of pixels')
  .optional()
  .describe(
    'A width in pixels: the image comes in the least of a few widths that is no narrower, or as it is where it is narrow enough.',
  )

const downloadQuery = z.object({
  metadata: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      '`true` asks for what is known of it in place of its bytes; so does `Accept: application/json`.',
    ),
  w: widthText,
})

const shownQuery = z.object({ w: widthText })

function notFound(): never {
  throw new AppError('media_not_found', 'media not found', { param: 'id' })
}

const idOf = ({ params }: RouteInput) => (params.media_id ?? '').toLowerCase()

/** The routes that move the bytes of media, past the graph. */
export const mediaFileRoutes: readonly Route[] = [
  handlerRoute<z.output<typeof uploadBody> | undefined, unknown, ReceivedMedia>({
    method: 'post',
    path: '/v1/media/upload',
    operationId: 'uploadMedia',
    summary: 'Upload an image',
    description:
      'As `multipart/form-data` with a `file`, or as JSON with `remote_url` or `data_url`. The same bytes have the same id, however often they come.',
    tag,
    file: 'file',
    body: uploadBody,
    bodyOptional: true,
    bodyLimit: 'large',
    rate: mediaUploadRate('by size'),
    failures: [
      'missing_parameter',
      'invalid_parameter',
      'max_size_exceeded',
      'media_storage_failed',
      'media_storage_not_configured',
    ],
    receive: fromForm,
    async handle({ body, form, context }, response) {
      response.json(storedJson(form ?? (await createFromJson(body ?? {}, context))))
    },
    response: storedMedia,
  }),
  handlerRoute<unknown, z.output<typeof downloadQuery>>({
    method: 'get',
    path: '/v1/media/:media_id',
    operationId: 'getMedia',
    summary: 'Read an image',
    description: 'Its bytes, with ranges and conditions; or what is known of it.',
    tag,
    query: downloadQuery,
    failures: ['media_not_found', 'media_storage_failed'],
    async handle(input, response) {
      const { request, context, query, files } = input
      if (query.metadata === 'true' || !files.proxiesDownloads || prefersJson(request.headers.accept)) {
        const { media } = await context.graph.execute(
          MediaDocument,
          { id: idOf(input), expiresIn: null },
          context,
        )
        response.json(mediaJson(media ?? notFound()))
        return
      }
      const { media } = await context.graph.execute(MediaBytesDocument, { id: idOf(input) }, context)
      await sendImage(input, response, media ?? notFound(), 'private, no-cache')
    },
    response: mediaResource,
    responseType: 'image/*',
  }),
  handlerRoute<unknown, z.output<typeof shownQuery>>({
    method: 'get',
    path: '/api/media/:public_media_id',
    operationId: 'getPublicMedia',
    summary: 'Read an image by a link for everybody',
    description: 'Whoever knows the id reads the bytes: for `<img src>`. Off with `MEDIA_PUBLIC_READ=false`.',
    tag,
    access: 'public',
    query: shownQuery,
    rate: { perMinute: 300 },
    failures: ['media_not_found', 'media_storage_failed'],
    async handle(input, response) {
      const { context } = input
      const { publicMedia } = await context.graph.execute(
        PublicMediaDocument,
        { id: input.params.public_media_id ?? '' },
        context,
      )
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
      await sendImage(input, response, publicMedia ?? notFound(), 'public, max-age=31536000, immutable')
    },
    responseType: 'image/*',
  }),
]

/** The image, or a smaller one where a width is asked for. */
async function sendImage(
  input: RouteInput<unknown, { readonly w?: string | undefined }>,
  response: Response,
  media: StoredBytesFieldsFragment,
  cacheControl: string,
): Promise<void> {
  const { request, query, files } = input
  const { w } = query
  const image = storedObject(media, cacheControl)
  const large = { ...image, sha256: media.sha256, width: media.width }
  const small = w === undefined ? null : await files.thumbnails.of(large, Number(w))
  if (!small) return sendBytes(input, response, image)
  const { bytes, contentType, etag } = small
  sendWhole(request, response, bytes, { contentType, etag, cacheControl, filename: null })
}

function storedObject(
  { storageKey, bytes, mimeType, filename = null, sha256 }: StoredBytesFieldsFragment,
  cacheControl: string,
): SentObject {
  return { key: storageKey, size: bytes, contentType: mimeType, filename, cacheControl, etag: `"${sha256}"` }
}

/** The reader of forms is loaded with the first of them. */
async function fromForm({ request, context, files }: FormArrival): Promise<FormBody<ReceivedMedia>> {
  const { receiveForm } = await import('../files/receive-form.ts')
  const { bytes: store, maxBytes } = files
  const { media } = await receiveForm({
    request,
    context,
    store,
    maxBytes,
    maxBytesTogether: maxBytes,
    files: { file: 1 },
  })
  const [stored] = media.get('file') ?? []
  if (!stored) throw new AppError('missing_parameter', 'The form has no file named file.', { param: 'file' })
  return {
    form: stored,
    said: JSON.stringify({ id: stored.media.id, filename: stored.media.filename ?? null }),
  }
}

/** Whether JSON is what somebody would rather have. Who takes anything gets the image. */
function prefersJson(accept: string | undefined): boolean {
  return /^\s*application\/json\b/i.test(accept ?? '')
}

async function createFromJson(
  { remote_url, data_url, filename }: z.output<typeof uploadBody>,
  context: RequestContext,
) {
  if (remote_url == null && data_url == null)
    throw new AppError('missing_parameter', 'Send a file, remote_url or data_url.', { param: 'file' })
  const input = { remoteUrl: remote_url, dataUrl: data_url, filename }
  return (await context.graph.execute(CreateMediaDocument, { input, expiresIn: null }, context)).createMedia
}
