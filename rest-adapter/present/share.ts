import { z } from 'zod'
import type { ShareFieldsFragment } from '../operations.generated.ts'
import { unixSeconds } from '../shapes.ts'

const shareFields = z.object({
  id: z.string(),
  object: z.literal('share'),
  share_id: z.string().describe('The same as `id`.'),
  slug: z.string().describe('What the link ends with.'),
  share_url: z.string().describe('The link. Whoever knows it may read the snapshot.'),
  url: z.string().describe('The same as `share_url`.'),
  share_link: z.string().describe('The same as `share_url`.'),
  title: z.string(),
  item_id: z.string().optional().describe('The answer, where only one is shared.'),
  visibility: z.literal('unlisted'),
  view_count: z.number().int(),
  last_viewed_at: z.number().int().optional(),
  revoked_at: z.number().int().optional(),
  expires_at: z.number().int().optional(),
  snapshot_version: z.literal(1),
  share_options: z.object({ include_images: z.boolean(), include_context_messages: z.boolean() }),
  created_at: z.number().int(),
  updated_at: z.number().int(),
})

export const exampleShare: z.output<typeof shareFields> = {
  id: 'share_9d2k4m6p8r0t1v3x',
  object: 'share',
  share_id: 'share_9d2k4m6p8r0t1v3x',
  slug: '4kR9mZ2xQ7pLw0sT5vYb1C',
  share_url: 'http://localhost:8000/v1/public/shares/4kR9mZ2xQ7pLw0sT5vYb1C',
  url: 'http://localhost:8000/v1/public/shares/4kR9mZ2xQ7pLw0sT5vYb1C',
  share_link: 'http://localhost:8000/v1/public/shares/4kR9mZ2xQ7pLw0sT5vYb1C',
  title: 'Lasagna for four',
  visibility: 'unlisted',
  view_count: 0,
  snapshot_version: 1,
  share_options: { include_images: false, include_context_messages: false },
  created_at: 1767225600,
  updated_at: 1767225600,
}

/** Contract 2.11: a share as its owner sees it. */
export const shareResource = shareFields.meta({ id: 'Share', examples: [exampleShare] })

export function shareJson(share: ShareFieldsFragment): z.output<typeof shareResource> {
  const { id, slug, url, title, itemId } = share
  return {
    id,
    object: 'share',
    share_id: id,
    slug,
    share_url: url,
    url,
    share_link: url,
    title,
    ...(itemId === null ? {} : { item_id: itemId }),
    visibility: 'unlisted',
    view_count: share.viewCount,
    ...(share.lastViewedAt === null ? {} : { last_viewed_at: unixSeconds(share.lastViewedAt) }),
    ...(share.revokedAt === null ? {} : { revoked_at: unixSeconds(share.revokedAt) }),
    ...(share.expiresAt === null ? {} : { expires_at: unixSeconds(share.expiresAt) }),
    snapshot_version: 1,
    share_options: {
      include_images: share.includesImages,
      include_context_messages: share.includesContext,
    },
    created_at: unixSeconds(share.createdAt),
    updated_at: unixSeconds(share.updatedAt),
  }
}
