import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import {
  RateItemDocument,
  ReportToolCallDocument,
  ToolCallDocument,
  type ToolCallEnd,
  UnrateItemDocument,
} from '../operations.generated.ts'
import { conversationId, existingConversation } from '../present/conversation.ts'
import { itemId, itemJson, itemResource } from '../present/item.ts'
import { type Route, route } from '../route.ts'
import { dual, dualOf } from '../shapes.ts'

const tag = 'Items'
const many = '/v1/conversations/:conversation_id/items'
const byCall = `${many}/by-call-id/:call_id`
const rating = `${many}/:item_id/rating`

const reportBody = z.object({
  status: z.enum(['completed', 'failed', 'cancelled']),
  output: z.unknown().optional().describe('What the tool gave back.'),
  error: z.unknown().optional().describe('What went wrong.'),
  name: z.string().nullish(),
  arguments: z.string().nullish(),
  server_label: z.string().nullish(),
})

const ratingBody = z.object({
  rating: z.enum(['like', 'unlike']),
  comment: z.string().nullish().describe('At most 2,000 characters.'),
})

/** Contract 3.3 and 3.6: what is told of items after they were stored. */
export const itemReportRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: byCall,
    summary: 'Read the newest tool call of the active branch with this call id, an open one before others',
    tag,
    failures: ['item_not_found'],
    operation: ToolCallDocument,
    variables: (input) => ({ id: conversationId(input), callId: input.params.call_id ?? '' }),
    present({ conversation }, { context }) {
      const { toolCall } = existingConversation(conversation)
      if (!toolCall) throw new AppError('item_not_found', 'The conversation has no tool call of that id.')
      return dual(itemJson(toolCall), context.requestId)
    },
    response: dualOf(itemResource),
  }),
  route({
    method: 'patch',
    path: byCall,
    summary: 'Report how a tool call ended; the same report twice is one',
    tag,
    body: reportBody,
    examples: {
      result: { status: 'completed', output: '27 °C' },
      failure: { status: 'failed', error: 'The station does not answer.' },
    },
    failures: ['item_not_found', 'input_too_large'],
    operation: ReportToolCallDocument,
    variables: (input) => {
      const { status, server_label, ...rest } = input.body
      return {
        input: {
          conversationId: conversationId(input),
          callId: input.params.call_id ?? '',
          status: status.toUpperCase() as ToolCallEnd,
          serverLabel: server_label,
          ...rest,
        },
      }
    },
    present: ({ reportToolCall }, { context }) => dual(itemJson(reportToolCall), context.requestId),
    response: dualOf(itemResource),
  }),
  route({
    method: 'post',
    path: rating,
    summary: 'Rate an item; replaces an earlier rating',
    tag,
    body: ratingBody,
    examples: { like: { rating: 'like' }, unlike: { rating: 'unlike', comment: 'No basil in it' } },
    operation: RateItemDocument,
    variables: (input) => ({
      input: {
        conversationId: conversationId(input),
        itemId: itemId(input),
        rating: input.body.rating === 'like' ? ('LIKE' as const) : ('UNLIKE' as const),
        comment: input.body.comment,
      },
    }),
    present: ({ rateItem }, { context }) => dual(itemJson(rateItem), context.requestId),
    response: dualOf(itemResource),
  }),
  route({
    method: 'delete',
    path: rating,
    summary: 'Take a rating back',
    tag,
    operation: UnrateItemDocument,
    variables: (input) => ({ input: { conversationId: conversationId(input), itemId: itemId(input) } }),
    present: ({ unrateItem }, { context }) => dual(itemJson(unrateItem), context.requestId),
    response: dualOf(itemResource),
  }),
]
