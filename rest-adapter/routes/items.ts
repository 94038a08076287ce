import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import {
  AddItemsDocument,
  ConversationItemDocument,
  ConversationItemsDocument,
  DeleteItemDocument,
} from '../operations.generated.ts'
import {
  conversationId,
  conversationJson,
  conversationResource,
  exampleConversation,
  existingConversation,
} from '../present/conversation.ts'
import { exampleItem, itemBody, itemId, itemInput, itemJson, itemResource } from '../present/item.ts'
import { type Route, route } from '../route.ts'
import { deletedOf, dual, dualOf, list, listOf, pageArguments, pageQuery } from '../shapes.ts'

const tag = 'Items'

const largestPage = 100

const listQuery = pageQuery.extend({
  limit: z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .optional()
    .describe(
      'How many, 20 by default; what is out of 1 to 100 is taken as the nearer end. Fewer come where they are so large that they would be over 32 MB together: `has_more` tells. With `offset`, which counts on whole pages, that is refused instead (400, `limit`).',
    ),
  branch: z.string().optional().describe('The active branch unless given.'),
})

/** Several items, or the fields of one. */
const addBody = itemBody.extend({
  items: z
    .array(itemBody)
    .nullish()
    .describe('1 to 20 items, oldest first. Without it, the body itself is the item.'),
})

const addQuery = z.object({ branch: z.string().optional().describe('The active branch unless given.') })

function givenItems({ items, ...single }: z.output<typeof addBody>) {
  if (items != null) return items.map(itemInput)
  if (Object.keys(single).length > 0) return [itemInput(single)]
  throw new AppError('missing_parameter', "Parameter 'items' is required.", { param: 'items' })
}

/** Contract 3.3: the items of a conversation. */
export const itemRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/conversations/:conversation_id/items',
    rate: { perMinute: 1000 },
    summary: 'List the items of a conversation',
    tag,
    query: listQuery,
    operation: ConversationItemsDocument,
    variables: (input) => {
      const { branch, limit, ...page } = input.query
      const first = limit === undefined ? null : Math.min(Math.max(Number(limit), 1), largestPage)
      return { id: conversationId(input), ...pageArguments(page), first, branch }
    },
    present: ({ conversation }, { context }) =>
      list(existingConversation(conversation).items, itemJson, context.requestId),
    response: listOf(itemResource),
  }),
  route({
    method: 'post',
    path: '/v1/conversations/:conversation_id/items',
    rate: { perMinute: 200, cost: 2 },
    summary: 'Add items to a conversation',
    tag,
    body: addBody,
    examples: {
      several: {
        items: [
          { type: 'message', role: 'user', content: 'How do I make lasagna?' },
          { type: 'message', role: 'assistant', content: 'In layers.' },
        ],
      },
      one: {
        type: 'message',
        role: 'user',
        content: [{ type: 'input_text', text: 'How do I make lasagna?' }],
      },
    },
    bodyLimit: 'large',
    query: addQuery,
    operation: AddItemsDocument,
    variables: (input) => ({
      input: {
        conversationId: conversationId(input),
        branch: input.query.branch,
        items: givenItems(input.body),
      },
    }),
    present: ({ addItems: { items } }, { body, context }) => {
      const [only] = items
      if (body.items == null && only) return dual(itemJson(only), context.requestId)
      return list({ nodes: items, pageInfo: { hasNextPage: false } }, itemJson, context.requestId)
    },
    response: z.union([listOf(itemResource), dualOf(itemResource)]),
  }),
  route({
    method: 'get',
    path: '/v1/conversations/:conversation_id/items/:item_id',
    summary: 'Read an item',
    tag,
    operation: ConversationItemDocument,
    variables: (input) => ({ id: conversationId(input), itemId: itemId(input) }),
    present: ({ conversation }) => {
      const { item } = existingConversation(conversation)
      if (!item) throw new AppError('item_not_found', 'There is no such item in this conversation.')
      const resource = itemJson(item)
      return { ...resource, data: resource }
    },
    response: itemResource
      .and(z.object({ data: itemResource }))
      .meta({ examples: [{ ...exampleItem, data: exampleItem }] }),
  }),
  route({
    method: 'delete',
    path: '/v1/conversations/:conversation_id/items/:item_id',
    summary: 'Delete an item: a branch without it becomes MAIN, the former one is kept',
    tag,
    failures: ['conversation_full'],
    operation: DeleteItemDocument,
    variables: (input) => ({ input: { conversationId: conversationId(input), itemId: itemId(input) } }),
    present: ({ deleteItem }) => {
      const conversation = conversationJson(deleteItem.conversation)
      return {
        id: deleteItem.id,
        object: 'conversation.item.deleted' as const,
        deleted: true as const,
        branch: deleteItem.branch,
        old_main_backup: deleteItem.oldMainBackup,
        branch_created: true as const,
        // what OpenAI's clients read of it: they expect the conversation
        conversation,
        metadata: conversation.metadata,
        created_at: conversation.created_at,
      }
    },
    response: deletedOf('conversation.item.deleted', exampleItem.id)
      .extend({
        branch: z.string().meta({ examples: ['MAIN'] }),
        old_main_backup: z.string().meta({ examples: ['MAIN_20260101000100'] }),
        branch_created: z.literal(true),
        conversation: conversationResource,
        metadata: z.record(z.string(), z.string()).describe('Of the conversation.'),
        created_at: z.number().int().describe('When the conversation was created.'),
      })
      .meta({
        examples: [
          {
            id: exampleItem.id,
            object: 'conversation.item.deleted',
            deleted: true,
            branch: 'MAIN',
            old_main_backup: 'MAIN_20260101000100',
            branch_created: true,
            conversation: exampleConversation,
            metadata: exampleConversation.metadata,
            created_at: exampleConversation.created_at,
          },
        ],
      }),
  }),
]
