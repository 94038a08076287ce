import { z } from 'zod'
import { assertIdShape } from '../../platform/ids.ts'
import type { ItemFieldsFragment, ItemInput } from '../operations.generated.ts'
import type { RouteInput } from '../route.ts'

const itemFields = z.looseObject({
  id: z.string(),
  object: z.literal('conversation.item'),
  type: z.string(),
  role: z.string().optional(),
  status: z.string(),
  content: z.array(z.looseObject({ type: z.string() })),
  branch: z.string(),
  sequence_number: z.number().int(),
  created_at: z.iso.datetime(),
  completed_at: z.iso.datetime().optional(),
  incomplete_at: z.iso.datetime().optional(),
  incomplete_details: z.looseObject({ reason: z.string() }).optional(),
  model: z.string().optional().describe('The model that wrote it.'),
  call_id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.unknown().optional(),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
  server_label: z.string().optional(),
  rating: z.enum(['like', 'unlike']).optional(),
  rated_at: z.iso.datetime().optional(),
  rating_comment: z.string().optional(),
})

/** What was asked, for the API's description. */
export const exampleItem = {
  id: 'msg_7d1k0fz3m9q2w5x8c4v6b1n0',
  object: 'conversation.item',
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_text', text: 'How do I make lasagna?', input_text: 'How do I make lasagna?' }],
  branch: 'MAIN',
  sequence_number: 1,
  created_at: '2026-01-01T00:00:00.000Z',
  completed_at: '2026-01-01T00:00:00.000Z',
}

/** Contract 3.3: an item on the wire. What belongs to its type stands beside these fields. */
export const itemResource = itemFields.meta({ id: 'Item', examples: [exampleItem] })

const itemBodyFields = z.looseObject({
  type: z.string().nullish().describe('`message` unless given.'),
  role: z.string().nullish().describe('A message needs one.'),
  status: z.string().nullish(),
  content: z
    .union([z.string(), z.array(z.looseObject({})), z.looseObject({})])
    .nullish()
    .describe('A text, or up to 100 blocks.'),
  content_type: z.string().nullish().describe('The type of the block that a text becomes.'),
  call_id: z.string().nullish(),
  name: z.string().nullish(),
  arguments: z
    .unknown()
    .optional()
    .describe('JSON text; other values are kept for the types that have them.'),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
  server_label: z.string().nullish(),
})

/** An item as clients send it: a text or blocks, in either spelling; other fields of its type are kept as they are. */
export const itemBody = itemBodyFields.meta({
  id: 'ItemInput',
  examples: [{ type: 'message', role: 'user', content: 'How do I make lasagna?' }],
})

export function itemJson(item: ItemFieldsFragment): z.output<typeof itemResource> {
  const optional = {
    completed_at: item.completedAt,
    incomplete_at: item.incompleteAt,
    incomplete_details: item.incompleteDetails,
    model: item.modelId,
    call_id: item.callId,
    name: item.name,
    arguments: item.arguments,
    output: item.output,
    error: item.error,
    server_label: item.serverLabel,
    rating: item.rating?.toLowerCase() ?? null,
    rated_at: item.ratedAt,
    rating_comment: item.ratingComment,
  }
  return {
    ...(item.details as Record<string, unknown>),
    id: item.id,
    object: 'conversation.item',
    type: item.type,
    ...(item.role === null ? {} : { role: item.role.toLowerCase() }),
    status: item.status.toLowerCase(),
    content: item.content as { type: string }[],
    branch: item.branch,
    sequence_number: item.sequenceNumber,
    created_at: item.createdAt,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
  }
}

/** The graph's input for an item from the wire. */
export function itemInput({
  content_type,
  call_id,
  server_label,
  ...rest
}: z.output<typeof itemBody>): ItemInput {
  const { type, role, status, content, name, arguments: callArguments, output, error, ...details } = rest
  return {
    type,
    role,
    status,
    content,
    contentType: content_type,
    callId: call_id,
    name,
    arguments: typeof callArguments === 'string' ? callArguments : null,
    output,
    error,
    serverLabel: server_label,
    details:
      callArguments == null || typeof callArguments === 'string'
        ? details
        : { ...details, arguments: callArguments },
  }
}

/** The item that a path names. @throws AppError `invalid_id` */
export function itemId({ params }: Pick<RouteInput, 'params'>): string {
  const id = params.item_id ?? ''
  assertIdShape('item', id, 'item_id')
  return id
}
