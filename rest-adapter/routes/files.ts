import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import type { LinkQuery } from '../../platform/file-links.ts'
import { bodyStream } from '../files/receive-bytes.ts'
import { sendBytes } from '../files/send-bytes.ts'
import { type HandlerRoute, handlerRoute, type Route } from '../route.ts'

/** What a link carries. Whether it is one of ours is asked of the link as a whole. */
const linkQuery = z.object({
  method: z.string().optional().describe('What the link is for: `GET` or `PUT`.'),
  expires: z.string().optional().describe('Until when it is good, in Unix seconds.'),
  type: z.string().optional().describe('The media type of the bytes.'),
  size: z.string().optional().describe('How many bytes an upload has, where that is fixed.'),
  filename: z.string().optional().describe('The name to save a download under.'),
  signature: z.string().optional().describe('The proof that the link was made here.'),
})

const aFile: Omit<HandlerRoute<unknown, LinkQuery>, 'method' | 'operationId' | 'summary' | 'handle'> = {
  path: '/v1/files/*key',
  tag: 'Media',
  access: 'public',
  query: linkQuery,
}

/** Where signed links of a store of files lead; those of a bucket lead to the bucket. */
export const fileRoutes: readonly Route[] = [
  handlerRoute<unknown, LinkQuery>({
    ...aFile,
    method: 'get',
    operationId: 'downloadFile',
    summary: 'Download a file by a signed link',
    description:
      'Needs no credential: the link is one, and is used as it was given. It takes a `Range`. HEAD tells size and type.',
    rate: { perMinute: 300 },
    responseType: '*/*',
    headers: { Range: 'The part that is wanted, as `bytes=0-1023`: the answer is 206.' },
    failures: [
      'permission_denied',
      'media_not_found',
      'range_not_satisfiable',
      'media_storage_failed',
      'media_storage_not_configured',
    ],
    async handle(input, response) {
      const { params, query, files } = input
      const { key, contentType, filename } = files.links.verify('GET', params.key ?? '', query)
      const facts = await files.bytes.head(key)
      if (!facts) throw new AppError('media_not_found', 'There is no such file.')
      const cacheControl = 'private'
      await sendBytes(input, response, { key, ...facts, contentType, filename, cacheControl, etag: null })
    },
  }),
  handlerRoute<unknown, LinkQuery>({
    ...aFile,
    method: 'put',
    operationId: 'uploadFile',
    summary: 'Upload a file by a signed link',
    description:
      'Needs no credential: the link is one. `Content-Type`, and the size where the link has one, must be what was signed.',
    rate: { perMinute: 60 },
    bodyType: '*/*',
    failures: [
      'permission_denied',
      'max_size_exceeded',
      'unsupported_media_type',
      'media_storage_failed',
      'media_storage_not_configured',
    ],
    async handle({ params, query, request, context, files }, response) {
      const { bytes, links, maxBytes } = files
      const { key, contentType, size } = links.verify('PUT', params.key ?? '', query)
      const length = request.headers['content-length']
      if (request.headers['content-type'] !== contentType)
        throw new AppError('permission_denied', 'This link is for bytes of another type.')
      if (size !== null && length !== undefined && Number(length) !== size)
        throw new AppError('permission_denied', 'This link is for another number of bytes.')
      await bytes.write(key, bodyStream(request, maxBytes), {
        contentType,
        signal: context.signal,
        ...(size === null ? {} : { size }),
      })
      response.status(200).end()
    },
  }),
]
