import { z } from 'zod'
import type { MediaFieldsFragment } from '../operations.generated.ts'

const exampleLink = {
  url: 'https://jan.example/v1/files/images/01kb3m5n7p9r1s3t5v7w9x1y3z.png?expires=1767830400&signature=…',
  presigned_url:
    'https://jan.example/v1/files/images/01kb3m5n7p9r1s3t5v7w9x1y3z.png?expires=1767830400&signature=…',
  expires_at: '2026-01-08T00:00:00.000Z',
}

const linkFields = {
  url: z.string().describe('GET it without a credential, until it expires. A new one each time.'),
  presigned_url: z.string().describe('The same as `url`.'),
  expires_at: z.string().describe('When the link stops to work.'),
}

const mediaFields = z.object({
  id: z.string().describe('`jan_` and a ULID. Name it wherever an image is expected.'),
  object: z.literal('media'),
  mime: z.string().describe('What the bytes are, whatever was said of them.'),
  bytes: z.number().int(),
  width: z.number().int(),
  height: z.number().int(),
  filename: z.string().nullable(),
  created_at: z.string(),
  ...linkFields,
})

export const exampleMedia: z.output<typeof mediaFields> = {
  id: 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z',
  object: 'media',
  mime: 'image/png',
  bytes: 48_213,
  width: 640,
  height: 480,
  filename: 'basil.png',
  created_at: '2026-01-01T00:00:00.000Z',
  ...exampleLink,
}

/** Contract 6: a media on the wire, with a link to its bytes. */
export const mediaResource = mediaFields.meta({ id: 'Media', examples: [exampleMedia] })

const storedFields = mediaFields.extend({
  jan_id: z.string().describe('The same as `id`.'),
  deduped: z.boolean().describe('Whether you had these very bytes already, under this id.'),
})

/** Contract 6: what an upload answers. */
export const storedMedia = storedFields.meta({
  id: 'StoredMedia',
  examples: [{ ...exampleMedia, jan_id: exampleMedia.id, deduped: false }],
})

/** Moments are RFC 3339 here (contract R22). */
export function mediaJson({
  link,
  mimeType,
  createdAt,
  ...rest
}: MediaFieldsFragment): z.output<typeof mediaResource> {
  const { id, bytes, width, height, filename = null } = rest
  return {
    id,
    object: 'media',
    mime: mimeType,
    bytes,
    width,
    height,
    filename,
    created_at: createdAt,
    url: link.url,
    presigned_url: link.url,
    expires_at: link.expiresAt,
  }
}

export function storedJson(stored: {
  readonly deduped: boolean
  readonly media: MediaFieldsFragment
}): z.output<typeof storedMedia> {
  return { ...mediaJson(stored.media), jan_id: stored.media.id, deduped: stored.deduped }
}
