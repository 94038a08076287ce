import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import {
  ActivateBranchDocument,
  BranchDocument,
  BranchesDocument,
  CreateBranchDocument,
  DeleteBranchDocument,
} from '../operations.generated.ts'
import { branchJson, branchResource, exampleBranch } from '../present/branch.ts'
import { conversationId, existingConversation } from '../present/conversation.ts'
import { type Route, type RouteInput, route } from '../route.ts'
import {
  dual,
  dualOf,
  metaOf,
  metaSchema,
  pageArguments,
  pageQuery,
  placeOf,
  placeSchema,
} from '../shapes.ts'

const tag = 'Branches'
const many = '/v1/conversations/:conversation_id/branches'
const one = `${many}/:branch_name`

const createBody = z.object({
  name: z.string().describe('1 to 64 characters; not `MAIN`, and not the name of another.'),
  parent_branch: z.string().nullish().describe('The branch to fork; the active one unless given.'),
  fork_from_item_id: z
    .string()
    .nullish()
    .describe('The last item to take along, by an id that it has on any branch; all of them unless given.'),
  description: z.string().nullish().describe('A note for people.'),
})

const listQuery = pageQuery.extend({
  limit: pageQuery.shape.limit.describe('How many, 1 to 100; more count as 100. 100 by default.'),
  after: pageQuery.shape.after.describe('The name of the last branch that was seen.'),
  order: pageQuery.shape.order.describe(
    '`desc`, the default: MAIN first, then the newest. `asc`: the other way round.',
  ),
})

const branchList = placeSchema.extend({
  object: z.literal('list'),
  data: z.array(branchResource),
  active_branch: z.string(),
  meta: metaSchema,
})

const branchOf = (input: RouteInput) => ({
  conversationId: conversationId(input),
  name: input.params.branch_name ?? '',
})

/** Contract 3.4: the branches of a conversation. */
export const branchRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: many,
    summary: 'List the branches of a conversation: MAIN first, then the newest',
    tag,
    query: listQuery,
    operation: BranchesDocument,
    variables: (input) => ({ id: conversationId(input), ...pageArguments(input.query) }),
    present({ conversation }, { context }) {
      const { branchPage, activeBranch } = existingConversation(conversation)
      const data = branchPage.nodes.map(branchJson)
      return {
        object: 'list',
        data,
        active_branch: activeBranch,
        ...placeOf(
          data.map(({ name }) => name),
          branchPage.pageInfo.hasNextPage,
        ),
        meta: metaOf(context.requestId),
      }
    },
    response: branchList.meta({
      examples: [
        {
          object: 'list',
          data: [exampleBranch],
          active_branch: 'MAIN',
          ...placeOf([exampleBranch.name], false),
          meta: metaOf('req_1'),
        },
      ],
    }),
  }),
  route({
    method: 'post',
    path: many,
    status: 201,
    summary: 'Fork a branch under a new name',
    tag,
    body: createBody,
    examples: {
      whole: { name: 'vegetarian', description: 'The same without meat' },
      until_an_item: { name: 'vegetarian', fork_from_item_id: exampleBranch.forked_from_item_id },
    },
    failures: ['already_exists', 'conversation_full'],
    operation: CreateBranchDocument,
    variables: (input) => {
      const { name, description, parent_branch, fork_from_item_id } = input.body
      return {
        input: {
          conversationId: conversationId(input),
          name,
          description,
          parentBranch: parent_branch,
          forkFromItemId: fork_from_item_id,
        },
      }
    },
    present: ({ createBranch }, { context }) => dual(branchJson(createBranch), context.requestId),
    response: dualOf(branchResource),
  }),
  route({
    method: 'get',
    path: one,
    summary: 'Read a branch',
    tag,
    operation: BranchDocument,
    variables: (input) => ({ id: conversationId(input), name: branchOf(input).name }),
    present({ conversation }, { context }) {
      const { branch } = existingConversation(conversation)
      if (!branch) throw new AppError('not_found', 'The conversation has no branch of that name.')
      return dual(branchJson(branch), context.requestId)
    },
    response: dualOf(branchResource),
  }),
  route({
    method: 'delete',
    path: one,
    status: 204,
    summary: 'Delete a branch that is neither MAIN nor active, with the items that stand in no other',
    tag,
    failures: ['invalid_parameter', 'request_in_progress'],
    operation: DeleteBranchDocument,
    variables: (input) => ({ input: branchOf(input) }),
    present: () => undefined,
  }),
  route({
    method: 'post',
    path: `${one}/activate`,
    summary: 'Make a branch the one that is read and appended to',
    tag,
    operation: ActivateBranchDocument,
    variables: (input) => ({ input: branchOf(input) }),
    present({ activateBranch: { activeBranch } }, { context }) {
      const message = `${activeBranch} is the active branch.`
      return dual({ active_branch: activeBranch, message }, context.requestId)
    },
    response: dualOf(
      z
        .object({ active_branch: z.string(), message: z.string() })
        .meta({ id: 'ActivatedBranch', examples: [{ active_branch: 'MAIN', message: 'MAIN is active.' }] }),
    ),
  }),
]
