import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { assertIdShape } from '../../platform/ids.ts'
import {
  ConversationSharesDocument,
  RevokeShareDocument,
  ShareConversationDocument,
  ShareItemDocument,
  SharesDocument,
} from '../operations.generated.ts'
import { conversationId, existingConversation } from '../present/conversation.ts'
import { itemId } from '../present/item.ts'
import { exampleShare, shareJson, shareResource } from '../present/share.ts'
import { handlerRoute, type Route, type RouteInput, route } from '../route.ts'
import { boundedInt, deletedOf, dual, dualOf, list, listOf, pageArguments, pageQuery } from '../shapes.ts'

const tag = 'Shares'

const optionsBody = z.object({
  title: z
    .string()
    .nullish()
    .describe(
      "At most 256 characters; the conversation's unless given, else the beginning of its first message.",
    ),
  include_images: z.boolean().nullish().describe('Whether images are shared. They are not by default.'),
  include_context_messages: z
    .boolean()
    .nullish()
    .describe('Of a single answer: whether the question before it is shared too.'),
  expires_in: z
    .number()
    .int()
    .min(1)
    .nullish()
    .describe('Seconds after which the link ends; it does not unless given.'),
  read_only: z.boolean().nullish().describe('Accepted; snapshots can only be read.'),
  allow_feedback: z.boolean().nullish().describe('Accepted; there is no feedback on snapshots.'),
})

const shareBody = optionsBody.extend({
  scope: z.enum(['conversation', 'item']).nullish().describe('`conversation` by default.'),
  item_id: z.string().nullish().describe('The answer that is shared, with the scope `item`.'),
  branch: z.string().nullish().describe('The branch that is shared; the active one unless given.'),
})

const shareQuery = z.object({ branch: z.string().optional().describe('The same as in the body.') })

const listQuery = pageQuery.extend({
  include_revoked: z
    .enum(['true', 'false'])
    .optional()
    .describe('Whether revoked ones are listed too. They are by default.'),
})

function listArguments({ include_revoked, ...page }: z.output<typeof listQuery>) {
  return { ...pageArguments(page), includeRevoked: include_revoked !== 'false' }
}

function shareId({ params }: Pick<RouteInput, 'params'>): string {
  const id = params.share_id ?? ''
  assertIdShape('share', id, 'share_id')
  return id
}

function commonInput(input: RouteInput<z.output<typeof optionsBody>>) {
  const { title, include_images, expires_in } = input.body
  return {
    conversationId: conversationId(input),
    title,
    includeImages: include_images,
    expiresIn: boundedInt(expires_in),
  }
}

function itemInput(input: RouteInput<z.output<typeof optionsBody>>, item: string) {
  return { ...commonInput(input), itemId: item, includeContext: input.body.include_context_messages }
}

/** @throws AppError `missing_parameter`, `invalid_id` naming `item_id` */
function givenItem(id: string | null | undefined): string {
  if (id == null)
    throw new AppError('missing_parameter', "Parameter 'item_id' is required.", { param: 'item_id' })
  assertIdShape('item', id, 'item_id')
  return id
}

const contextAlias = { include_context: 'include_context_messages' }

/** An answer or a conversation: one limit (contract 8.6). */
const sharing = { perMinute: 50, name: 'share' }

const revocation = {
  method: 'delete',
  tag,
  operation: RevokeShareDocument,
  present: ({ revokeShare: { id } }: { revokeShare: { id: string } }) => ({
    id,
    object: 'share.deleted' as const,
    deleted: true as const,
  }),
  response: deletedOf('share.deleted', exampleShare.id),
} as const

const ofConversation = (input: RouteInput) => ({ id: shareId(input), conversationId: conversationId(input) })

/** Contract 2.11: what owners do with shares. */
export const shareRoutes: readonly Route[] = [
  handlerRoute<z.output<typeof shareBody>, z.output<typeof shareQuery>>({
    method: 'post',
    path: '/v1/conversations/:conversation_id/share',
    operationId: 'shareConversation',
    rate: sharing,
    summary: 'Share a conversation, or one answer of it, by a public link',
    description:
      'What is shared is a snapshot: it does not change when the conversation does. Instructions, reasoning and tool calls are not in it. The conversation’s earlier links are revoked.',
    tag,
    status: 201,
    body: shareBody,
    bodyOptional: true,
    query: shareQuery,
    aliases: contextAlias,
    examples: {
      conversation: { scope: 'conversation' },
      titled: { title: 'Lasagna for four', include_images: true, expires_in: 86_400 },
      answer: { scope: 'item', item_id: 'msg_7d1k0fz3m9q2w5x8c4v6b1n0', include_context_messages: true },
    },
    failures: ['feature_disabled'],
    async handle(input, response) {
      const { body, query, context } = input
      if (body.scope === 'item') {
        const variables = { input: itemInput(input, givenItem(body.item_id)) }
        const { shareItem } = await context.graph.execute(ShareItemDocument, variables, context)
        response.status(201).json(dual(shareJson(shareItem), context.requestId))
        return
      }
      const variables = { input: { ...commonInput(input), branch: body.branch ?? query.branch } }
      const { shareConversation } = await context.graph.execute(ShareConversationDocument, variables, context)
      response.status(201).json(dual(shareJson(shareConversation), context.requestId))
    },
    response: dualOf(shareResource),
  }),
  route({
    method: 'post',
    path: '/v1/conversations/:conversation_id/items/:item_id/share',
    rate: sharing,
    summary: 'Share one answer by a public link',
    tag,
    status: 201,
    body: optionsBody,
    bodyOptional: true,
    aliases: contextAlias,
    examples: { alone: {}, with_question: { include_context_messages: true, expires_in: 86_400 } },
    failures: ['feature_disabled'],
    operation: ShareItemDocument,
    variables: (input) => ({ input: itemInput(input, itemId(input)) }),
    present: ({ shareItem }, { context }) => dual(shareJson(shareItem), context.requestId),
    response: dualOf(shareResource),
  }),
  route({
    method: 'get',
    path: '/v1/conversations/:conversation_id/shares',
    summary: 'List the shares of a conversation',
    tag,
    query: listQuery,
    failures: ['feature_disabled'],
    operation: ConversationSharesDocument,
    variables: (input) => ({ id: conversationId(input), ...listArguments(input.query) }),
    present: ({ conversation }, { context }) =>
      list(existingConversation(conversation).shares, shareJson, context.requestId),
    response: listOf(shareResource),
  }),
  route({
    method: 'get',
    path: '/v1/shares',
    summary: 'List your shares',
    tag,
    query: listQuery,
    failures: ['feature_disabled'],
    operation: SharesDocument,
    variables: ({ query }) => listArguments(query),
    present: ({ shares }, { context }) => list(shares, shareJson, context.requestId),
    response: listOf(shareResource),
  }),
  route({
    ...revocation,
    path: '/v1/shares/:share_id',
    summary: 'Revoke a share',
    variables: (input) => ({ id: shareId(input) }),
  }),
  route({
    ...revocation,
    path: '/v1/conversations/:conversation_id/shares/:share_id',
    operationId: 'revokeConversationShare',
    summary: 'Revoke a share of a conversation',
    variables: ofConversation,
  }),
  route({
    ...revocation,
    path: '/v1/conversations/:conversation_id/share/:share_id',
    operationId: 'revokeShareOfConversation',
    summary: 'Another path of the same',
    variables: ofConversation,
  }),
]
