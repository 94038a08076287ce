import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { mediaUploadRate } from '../media-upload-rate.ts'
import {
  CreateMediaDocument,
  DeleteMediaDocument,
  MediaDocument,
  MediaListDocument,
  PrepareMediaUploadDocument,
  ResolveMediaDocument,
  ResolveMediaPayloadDocument,
} from '../operations.generated.ts'
import { exampleMedia, mediaJson, mediaResource, storedJson, storedMedia } from '../present/media.ts'
import { handlerRoute, type Route, type RouteInput, route } from '../route.ts'
import { boundedInt, list, listOf, pageArguments, pageQuery } from '../shapes.ts'

const tag = 'Media'

const sourceTypes = ['remote_url', 'remoteuri', 'remote', 'data_url', 'datauri', 'dataurl'] as const
const isRemote = (type: (typeof sourceTypes)[number]) => type.startsWith('remote')

const createBody = z.object({
  source: z.object({
    type: z
      .enum(sourceTypes, { error: ({ input }) => `unknown source type '${String(input)}'` })
      .describe('`remote_url` or `data_url`; `remoteuri`, `remote`, `datauri` and `dataurl` mean the same.'),
    url: z.string().nullish().describe('For `remote_url`: an http or https URL of the public internet.'),
    data_url: z.string().nullish().describe('For `data_url`: `data:image/png;base64,…`'),
  }),
  filename: z.string().nullish().describe('The name to keep it under; at most 255 characters.'),
  user_id: z.string().nullish().describe('Not looked at: media belong to the caller.'),
})

const prepareBody = z.object({
  content_type: z.string().nullish().describe('What will come, as image/png.'),
  mime_type: z.string().nullish().describe('Another name of `content_type`.'),
  bytes: z.number().int().nullish().describe('How many bytes will come; no others are taken then.'),
  filename: z.string().nullish(),
  expires_in: z.number().int().nullish().describe('How long the link lasts, in seconds; 900 by default.'),
  user_id: z.string().nullish().describe('Not looked at.'),
})

const preparedFields = z.object({
  id: z.string(),
  jan_id: z.string().describe('The same as `id`.'),
  upload_url: z.string().describe('PUT the bytes here, without a credential.'),
  presigned_url: z.string().describe('The same as `upload_url`.'),
  method: z.literal('PUT'),
  headers: z.record(z.string(), z.string()).describe('Send exactly these headers with the bytes.'),
  mime_type: z.string(),
  expires_in: z.number().int().describe('Seconds.'),
})

const resolveBody = z.object({
  ids: z.array(z.string()).nullish().describe('Up to 100 ids.'),
  payload: z.unknown().optional().describe('Any JSON, in place of `ids`.'),
})

const resolved = z.union([
  z.object({ media: z.array(mediaResource), missing: z.array(z.string()) }),
  z.object({ payload: z.unknown(), missing: z.array(z.string()) }),
])

const bulkBody = z.object({
  ids: z.array(z.string()).describe('Up to 100 ids.'),
})

const ttlQuery = z.object({
  ttl: z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .optional()
    .describe('How long the link lasts in seconds, 60 to 604,800; what is beyond counts as the nearest.'),
})

const idOf = ({ params }: RouteInput) => (params.media_id ?? '').toLowerCase()

function notFound(): never {
  throw new AppError('media_not_found', 'There is no such media.', { param: 'id' })
}

/** Contract 6, as far as no bytes are moved. */
export const mediaRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/media',
    summary: 'Store an image from a URL or a data URL',
    tag,
    bodyLimit: 'large',
    rate: mediaUploadRate('by size'),
    body: createBody,
    examples: {
      data: {
        source: {
          type: 'data_url',
          data_url:
            'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        },
        filename: 'dot.png',
      },
    },
    failures: ['max_size_exceeded', 'media_storage_failed', 'media_storage_not_configured'],
    operation: CreateMediaDocument,
    variables: ({ body: { source, filename } }) => ({
      input: {
        ...(isRemote(source.type) ? { remoteUrl: source.url } : { dataUrl: source.data_url }),
        filename,
      },
      expiresIn: null,
    }),
    present: ({ createMedia }) => storedJson(createMedia),
    response: storedMedia,
  }),
  ...['/v1/media/prepare-upload', '/v1/media/upload-presigned'].map((path) =>
    route({
      method: 'post',
      path,
      operationId: path.endsWith('prepare-upload') ? 'prepareMediaUpload' : 'presignMediaUpload',
      summary: 'Prepare an upload past the API',
      description:
        'PUT the bytes to `upload_url` with the `headers` that come with it. The id can be used from then on; other bytes than were promised are refused and forgotten when it is first used.',
      tag,
      rate: mediaUploadRate(2),
      body: prepareBody,
      examples: { png: { content_type: 'image/png', bytes: 48_213, filename: 'basil.png' } },
      failures: ['max_size_exceeded', 'media_storage_failed', 'media_storage_not_configured'],
      operation: PrepareMediaUploadDocument,
      variables: ({ body: { content_type, mime_type, bytes, filename, expires_in } }) => {
        const contentType = content_type ?? mime_type
        if (contentType == null)
          throw new AppError('missing_parameter', 'content_type is missing.', { param: 'content_type' })
        return {
          input: { contentType, bytes: boundedInt(bytes), filename, expiresIn: boundedInt(expires_in) },
        }
      },
      present: ({ prepareMediaUpload: { id, url, headers, expiresAt } }, { body }) => ({
        id,
        jan_id: id,
        upload_url: url,
        presigned_url: url,
        method: 'PUT' as const,
        headers,
        mime_type: body.content_type ?? body.mime_type,
        expires_in: Math.ceil((Date.parse(expiresAt) - Date.now()) / 1000),
      }),
      response: preparedFields.meta({
        examples: [
          {
            id: exampleMedia.id,
            jan_id: exampleMedia.id,
            upload_url: 'https://jan.example/v1/files/uploads/…',
            presigned_url: 'https://jan.example/v1/files/uploads/…',
            method: 'PUT',
            headers: { 'content-type': 'image/png' },
            mime_type: 'image/png',
            expires_in: 900,
          },
        ],
      }),
    }),
  ),
  handlerRoute<z.output<typeof resolveBody>>({
    method: 'post',
    path: '/v1/media/resolve',
    operationId: 'resolveMedia',
    summary: 'Turn ids into links',
    description:
      'By `ids`, or by `payload`: a link takes the place of every text in it that is `jan_…`, `data:<type>;jan_…` or `data:<type>;base64,jan_…`, however deep; all else stays as it is. `missing` names what is no media of yours.',
    tag,
    bodyLimit: 'large',
    body: resolveBody,
    examples: {
      ids: { ids: [exampleMedia.id] },
      payload: { payload: { messages: [{ image_url: { url: `data:image/png;${exampleMedia.id}` } }] } },
    },
    async handle({ body: { ids, payload }, context }, response) {
      if ((ids == null) === (payload == null))
        throw new AppError('invalid_parameter', 'Send either ids or payload.', { param: 'ids' })
      if (ids == null) {
        const { graph } = context
        const answer = await graph.execute(ResolveMediaPayloadDocument, { payload }, context)
        response.json(answer.resolveMediaPayload)
        return
      }
      const { resolveMedia } = await context.graph.execute(
        ResolveMediaDocument,
        { ids, expiresIn: null },
        context,
      )
      response.json({ media: resolveMedia.media.map(mediaJson), missing: resolveMedia.missing })
    },
    response: resolved.meta({ examples: [{ media: [exampleMedia], missing: [] }] }),
  }),
  route({
    method: 'post',
    path: '/v1/media/bulk-delete',
    summary: 'Delete several media',
    tag,
    body: bulkBody,
    examples: { one: { ids: [exampleMedia.id] } },
    aliases: { media_ids: 'ids' },
    operationId: 'bulkDeleteMedia',
    operation: DeleteMediaDocument,
    variables: ({ body: { ids } }) => ({ ids }),
    present: ({ deleteMedia: { ids, failed } }) => ({ deleted_count: ids.length, failed_ids: failed }),
    response: z.object({
      deleted_count: z
        .number()
        .int()
        .meta({ examples: [1] }),
      failed_ids: z
        .array(z.string())
        .describe('Those that name no media of yours.')
        .meta({ examples: [[]] }),
    }),
  }),
  route({
    method: 'get',
    path: '/v1/media',
    summary: 'List your media',
    tag,
    query: pageQuery,
    operation: MediaListDocument,
    variables: ({ query }) => ({ ...pageArguments(query), expiresIn: null }),
    present: ({ mediaList }, { context }) => list(mediaList, mediaJson, context.requestId),
    response: listOf(mediaResource),
  }),
  route({
    method: 'get',
    path: '/v1/media/:media_id/presign',
    operationId: 'presignMedia',
    summary: 'Make a link to a media',
    tag,
    query: ttlQuery,
    failures: ['media_not_found'],
    operation: MediaDocument,
    variables: (input) => ({
      id: idOf(input),
      expiresIn: input.query.ttl === undefined ? null : boundedInt(Number(input.query.ttl)),
    }),
    present: ({ media }) => {
      const { id, link } = media ?? notFound()
      const expiresIn = Math.ceil((Date.parse(link.expiresAt) - Date.now()) / 1000)
      return { id, url: link.url, presigned_url: link.url, expires_in: expiresIn, expires_at: link.expiresAt }
    },
    response: z
      .object({
        id: z.string(),
        url: z.string(),
        presigned_url: z.string().describe('The same as `url`.'),
        expires_in: z.number().int().describe('Seconds.'),
        expires_at: z.string(),
      })
      .meta({
        examples: [
          {
            id: exampleMedia.id,
            url: exampleMedia.url,
            presigned_url: exampleMedia.url,
            expires_in: 604_800,
            expires_at: exampleMedia.expires_at,
          },
        ],
      }),
  }),
  route({
    method: 'delete',
    path: '/v1/media/:media_id',
    operationId: 'deleteMedia',
    summary: 'Delete a media',
    tag,
    status: 204,
    failures: ['media_not_found'],
    operation: DeleteMediaDocument,
    variables: (input) => ({ ids: [idOf(input)] }),
    present: ({ deleteMedia: { ids } }) => (ids.length === 0 ? notFound() : undefined),
  }),
]
