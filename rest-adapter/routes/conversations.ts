import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { assertIdShape } from '../../platform/ids.ts'
import {
  BulkDeleteConversationsDocument,
  ConversationDocument,
  ConversationsDocument,
  CreateConversationDocument,
  DeleteConversationDocument,
  DeleteConversationsDocument,
  ProjectConversationsDocument,
  SearchConversationsDocument,
  UpdateConversationDocument,
  type UpdateConversationMutation,
  type UpdateConversationMutationVariables,
} from '../operations.generated.ts'
import {
  conversationId,
  conversationJson,
  conversationResource,
  exampleConversation,
  existingConversation,
} from '../present/conversation.ts'
import { foundConversationJson, foundConversationResource } from '../present/found-conversation.ts'
import { exampleItem, itemBody, itemInput, itemJson, itemResource } from '../present/item.ts'
import { type OperationRoute, type Route, type RouteInput, route } from '../route.ts'
import { deletedOf, dual, dualOf, list, listOf, pageArguments, pageQuery } from '../shapes.ts'

const tag = 'Conversations'

/** Any object, handed on as it came: a copy would lose a pair named `__proto__`, which the service is to refuse. */
const metadataBody = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .meta({ type: 'object', propertyNames: { type: 'string' }, additionalProperties: {} })

const changeBody = z.object({
  title: z.string().nullish().describe('At most 256 characters; links, addresses and symbols are taken out.'),
  metadata: metadataBody.nullish().describe('Up to 16 pairs of strings.'),
  referrer: z.string().nullish().describe('At most 64 characters.'),
  pin_instruction: z
    .boolean()
    .nullish()
    .describe(
      "True keeps the project's present instruction for this conversation, whatever becomes of it; false lets go.",
    ),
  project_id: z.string().nullish().describe('One of your projects; null or an empty text is none.'),
})

const createBody = changeBody.extend({
  items: z.array(itemBody).nullish().describe('Up to 20 items to begin with, oldest first.'),
})

const updateBody = changeBody.extend({ archived: z.boolean().nullish() })

const listQuery = pageQuery.extend({
  referrer: z.string().optional().describe('Only those that came from here.'),
  project_id: z.string().optional().describe('Only those of this project.'),
  archived: z
    .enum(['true', 'false'])
    .optional()
    .describe('Only those that were put away, or only those that were not; all of them unless given.'),
  scope: z.enum(['mine', 'all']).optional().describe('`all` is for administrators.'),
  search: z
    .string()
    .optional()
    .describe(
      'Only those with these words in their title or their messages, best first: `order` says nothing then. `"in this order"`, `-without`, `this or that`; a last word of three letters or more also finds words that begin so.',
    ),
})

const bulkDeletion = z
  .object({
    deleted_count: z.number().int(),
    failed_count: z.number().int().describe('How many ids named none of yours.'),
    failed_ids: z.array(z.string()),
  })
  .meta({ id: 'BulkDeletion', examples: [{ deleted_count: 2, failed_count: 0, failed_ids: [] }] })

const isSearch = ({ search }: z.output<typeof listQuery>) => search !== undefined && search.trim() !== ''

const includeQuery = z.object({
  include: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('`items`: the newest 100 of them, oldest first.'),
})

const withItems = conversationResource.extend({ items: z.array(itemResource).optional() }).meta({
  id: 'ConversationWithItems',
  examples: [{ ...exampleConversation, items: [exampleItem] }],
})

const updateRoute: Omit<
  OperationRoute<
    z.output<typeof updateBody>,
    unknown,
    UpdateConversationMutation,
    UpdateConversationMutationVariables
  >,
  'method'
> = {
  path: '/v1/conversations/:conversation_id',
  rate: { name: 'update conversation' },
  summary: 'Change a conversation',
  tag,
  body: updateBody,
  examples: {
    rename: { title: 'Lasagna for four' },
    metadata: { metadata: { topic: 'cooking' } },
    move: { project_id: 'proj_h3v8t0r5e2y6u1i9' },
  },
  operation: UpdateConversationDocument,
  variables: (input) => {
    const { project_id, pin_instruction, archived, ...rest } = input.body
    return {
      input: {
        id: conversationId(input),
        ...rest,
        projectId: project_id,
        isArchived: archived,
        pinInstruction: pin_instruction,
      },
    }
  },
  present: ({ updateConversation }, { context }) =>
    dual(conversationJson(updateConversation), context.requestId),
  response: dualOf(conversationResource),
}

const listRoute = {
  method: 'get' as const,
  path: '/v1/conversations',
  rate: { perMinute: 600 },
  summary: 'List or search your conversations',
  tag,
  query: listQuery,
  failures: ['admin_required' as const],
  response: listOf(foundConversationResource),
}

const listing = route({
  ...listRoute,
  operation: ConversationsDocument,
  variables: ({ query: { referrer, project_id, archived, scope, search: _, ...page } }) => ({
    ...pageArguments(page),
    referrer,
    projectId: project_id,
    archived: archived === undefined ? null : archived === 'true',
    scope: scope === 'all' ? ('ALL' as const) : ('MINE' as const),
  }),
  present: ({ conversations }, { context }) => list(conversations, conversationJson, context.requestId),
})

const searching = route({
  ...listRoute,
  operation: SearchConversationsDocument,
  variables: ({ query: { referrer, project_id, archived, scope, search = '', ...page } }) => {
    if (scope === 'all')
      throw new AppError('invalid_parameter', 'Only your own conversations can be searched.', {
        param: 'scope',
      })
    return {
      ...pageArguments(page),
      text: search,
      referrer,
      projectId: project_id,
      archived: archived === undefined ? null : archived === 'true',
    }
  },
  present: ({ search }, { context }) => list(search, foundConversationJson, context.requestId),
})

/** Contract 3.2, and the conversations of a project (3.5). */
export const conversationRoutes: readonly Route[] = [
  {
    ...listing,
    run: (input, response) => {
      const { query } = input as RouteInput<unknown, z.output<typeof listQuery>>
      return (isSearch(query) ? searching : listing).run(input, response)
    },
  },
  route({
    method: 'post',
    path: '/v1/conversations',
    rate: { cost: 2 },
    summary: 'Create a conversation',
    tag,
    body: createBody,
    bodyLimit: 'large',
    bodyOptional: true,
    examples: {
      empty: {},
      titled: { title: 'Lasagna for four', metadata: { topic: 'cooking' } },
      with_items: { items: [{ type: 'message', role: 'user', content: 'How do I make lasagna?' }] },
    },
    failures: ['project_not_found'],
    operation: CreateConversationDocument,
    variables: ({ body: { project_id, pin_instruction, items, ...rest } }) => ({
      input: {
        ...rest,
        projectId: project_id,
        pinInstruction: pin_instruction,
        items: items?.map(itemInput),
      },
    }),
    present: ({ createConversation }, { context }) =>
      dual(conversationJson(createConversation), context.requestId),
    response: dualOf(conversationResource),
  }),
  route({
    method: 'delete',
    path: '/v1/conversations',
    summary: 'Delete all your conversations',
    tag,
    operation: DeleteConversationsDocument,
    variables: ({ request }) => {
      // an id that came out empty must not delete everything
      if (request.path.endsWith('/')) assertIdShape('conversation', '', 'conversation_id')
      return {}
    },
    present: ({ deleteConversations }) => ({
      object: 'conversations.deleted' as const,
      deleted: true as const,
      deleted_count: deleteConversations.count,
    }),
    response: z.object({
      object: z.literal('conversations.deleted'),
      deleted: z.literal(true),
      deleted_count: z
        .number()
        .int()
        .meta({ examples: [3] }),
    }),
  }),
  route({
    method: 'post',
    path: '/v1/conversations/bulk-delete',
    rate: { perMinute: 50, cost: 10 },
    summary: 'Delete several of your conversations',
    tag,
    body: z.object({
      conversation_ids: z
        .array(z.string())
        .describe('1 to 100 ids; those that are not yours are told as failed.'),
    }),
    examples: { two: { conversation_ids: [exampleConversation.id, 'conv_0a1b2c3d4e5f6g7h'] } },
    operation: BulkDeleteConversationsDocument,
    variables: ({ body }) => ({ ids: body.conversation_ids }),
    present: ({ bulkDeleteConversations: { count, failedIds } }, { context }) =>
      dual(
        { deleted_count: count, failed_count: failedIds.length, failed_ids: failedIds },
        context.requestId,
      ),
    response: dualOf(bulkDeletion),
  }),
  route({
    method: 'get',
    path: '/v1/conversations/:conversation_id',
    rate: { perMinute: 1000 },
    summary: 'Read a conversation',
    tag,
    query: includeQuery,
    operation: ConversationDocument,
    variables: (input) => ({
      id: conversationId(input),
      withItems: [input.query.include].flat().includes('items'),
    }),
    present: ({ conversation }, { context }) => {
      const { items, ...found } = existingConversation(conversation)
      const newest = items ? { items: items.nodes.map(itemJson).reverse() } : {}
      return dual({ ...conversationJson(found), ...newest }, context.requestId)
    },
    response: dualOf(withItems),
  }),
  route({ ...updateRoute, method: 'post' }),
  route({ ...updateRoute, method: 'patch', operationId: 'patchConversation' }),
  route({
    method: 'delete',
    path: '/v1/conversations/:conversation_id',
    rate: { cost: 5 },
    summary: 'Delete a conversation',
    tag,
    operation: DeleteConversationDocument,
    variables: (input) => ({ id: conversationId(input) }),
    present: ({ deleteConversation }) => ({
      id: deleteConversation.id,
      object: 'conversation.deleted' as const,
      deleted: true as const,
    }),
    response: deletedOf('conversation.deleted', exampleConversation.id),
  }),
  route({
    method: 'get',
    path: '/v1/projects/:project_id/conversations',
    summary: 'List the conversations of a project',
    tag: 'Projects',
    query: pageQuery,
    operation: ProjectConversationsDocument,
    variables: ({ params, query }) => {
      const projectId = params.project_id ?? ''
      assertIdShape('project', projectId, 'project_id')
      return { projectId, ...pageArguments(query) }
    },
    present: ({ project }, { context }) => {
      if (!project) throw new AppError('project_not_found', 'There is no such project.')
      return list(project.conversations, conversationJson, context.requestId)
    },
    response: listOf(conversationResource),
  }),
]
