import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { assertIdShape } from '../../platform/ids.ts'
import type { ConversationFieldsFragment } from '../operations.generated.ts'
import type { RouteInput } from '../route.ts'
import { unixSeconds } from '../shapes.ts'

export const conversationFields = z.object({
  id: z.string(),
  object: z.literal('conversation'),
  title: z.string().nullable(),
  created_at: z.number().int(),
  updated_at: z.number().int(),
  metadata: z.record(z.string(), z.string()),
  referrer: z.string().nullable(),
  project_id: z.string().nullable(),
  instruction_version: z
    .number()
    .int()
    .nullable()
    .describe('Which instruction its project had when the conversation came to it.'),
  effective_instruction_snapshot: z
    .string()
    .nullable()
    .describe('The instruction that was pinned: completions are told this one.'),
  active_branch: z.string(),
  item_count: z.number().int(),
  archived: z.boolean(),
})

export const exampleConversation: z.output<typeof conversationFields> = {
  id: 'conv_4k2m9x7qpz0w1abc',
  object: 'conversation',
  title: 'Lasagna for four',
  created_at: 1767225600,
  updated_at: 1767225660,
  metadata: { topic: 'cooking' },
  referrer: null,
  project_id: 'proj_h3v8t0r5e2y6u1i9',
  instruction_version: 1,
  effective_instruction_snapshot: null,
  active_branch: 'MAIN',
  item_count: 2,
  archived: false,
}

/** Contract 3.2: a conversation on the wire. */
export const conversationResource = conversationFields.meta({
  id: 'Conversation',
  examples: [exampleConversation],
})

export function conversationJson(
  conversation: ConversationFieldsFragment,
): z.output<typeof conversationResource> {
  return {
    id: conversation.id,
    object: 'conversation',
    title: conversation.title,
    created_at: unixSeconds(conversation.createdAt),
    updated_at: unixSeconds(conversation.updatedAt),
    metadata: conversation.metadata as Record<string, string>,
    referrer: conversation.referrer,
    project_id: conversation.project?.id ?? null,
    instruction_version: conversation.instructionVersion,
    effective_instruction_snapshot: conversation.effectiveInstructionSnapshot,
    active_branch: conversation.activeBranch,
    item_count: conversation.itemCount,
    archived: conversation.isArchived,
  }
}

/** The conversation that a path names. @throws AppError `invalid_id` */
export function conversationId({ params }: Pick<RouteInput, 'params'>): string {
  const id = params.conversation_id ?? ''
  assertIdShape('conversation', id, 'conversation_id')
  return id
}

/** The graph's null as the 404 that it means. */
export function existingConversation<Found>(conversation: Found | null): Found {
  if (conversation !== null) return conversation
  throw new AppError('conversation_not_found', 'There is no such conversation.')
}
