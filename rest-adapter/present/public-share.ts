import { z } from 'zod'
import type { PublicShareQuery } from '../operations.generated.ts'
import { unixSeconds } from '../shapes.ts'

/** A share as the graph tells it to whoever has the link. */
export type OpenedShare = NonNullable<PublicShareQuery['publicShare']>

const publicShareFields = z.object({
  object: z.literal('public_share'),
  slug: z.string(),
  title: z.string(),
  created_at: z.number().int(),
  snapshot: z.object({
    title: z.string(),
    model_name: z.string().optional().describe('The model that gave the last answer.'),
    created_at: z.number().int().describe('When the conversation began.'),
    items: z
      .array(
        z.object({
          id: z.string(),
          type: z.literal('message'),
          role: z.enum(['user', 'assistant', 'tool']),
          content: z
            .array(z.looseObject({ type: z.string() }))
            .describe('Texts, code, and images as media ids or data URLs.'),
          call_id: z.string().optional(),
          created_at: z.iso.datetime(),
        }),
      )
      .describe('Oldest first, under ids of their own.'),
  }),
})

/** Contract 2.11: what is public of a share. */
export const publicShare = publicShareFields.meta({
  id: 'PublicShare',
  examples: [
    {
      object: 'public_share',
      slug: '4kR9mZ2xQ7pLw0sT5vYb1C',
      title: 'Lasagna for four',
      created_at: 1767225600,
      snapshot: {
        title: 'Lasagna for four',
        model_name: 'jan-v1-4b',
        created_at: 1767225000,
        items: [
          {
            id: 'msg_7d1k0fz3m9q2w5x8c4v6b1n0',
            type: 'message',
            role: 'user',
            content: [
              { type: 'input_text', text: 'How do I make lasagna?', input_text: 'How do I make lasagna?' },
            ],
            created_at: '2026-01-01T00:00:00.000Z',
          },
        ],
      },
    },
  ],
})

export function publicShareJson({ slug, title, createdAt, snapshot }: OpenedShare) {
  return {
    object: 'public_share' as const,
    slug,
    title,
    created_at: unixSeconds(createdAt),
    snapshot: {
      title: snapshot.title,
      ...(snapshot.modelName === null ? {} : { model_name: snapshot.modelName }),
      created_at: unixSeconds(snapshot.createdAt),
      items: snapshot.items.map((item) => ({
        id: item.id,
        type: item.type,
        role: item.role.toLowerCase(),
        content: item.content,
        ...(item.callId === null ? {} : { call_id: item.callId }),
        created_at: item.createdAt,
      })),
    },
  }
}
