import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { assertIdShape } from '../../platform/ids.ts'
import {
  DeleteMemoriesDocument,
  ExportMemoriesDocument,
  MemoriesDocument,
  MemoryStatsDocument,
  ObserveConversationDocument,
  RecallMemoryDocument,
  TestMemoryEmbeddingDocument,
  UpdateMemoryDocument,
  UpsertMemoriesDocument,
  UpsertProjectMemoriesDocument,
} from '../operations.generated.ts'
import {
  exampleMemory,
  factKind,
  importance,
  memoryJson,
  memoryResource,
  memoryScope,
  recalledJson,
} from '../present/memory.ts'
import {
  exported,
  loadBody,
  loaded,
  observeBody,
  observed,
  projectFact,
  stats,
  userId,
  userItem,
  writtenIds,
} from '../present/memory-bodies.ts'
import { type Route, type RouteInput, route } from '../route.ts'
import { boundedInt, dual, dualOf, list, listOf, pageArguments, pageQuery } from '../shapes.ts'

const tag = 'Memory'

/** Whose memories are meant is who asks; a service asks as the user that it names (`direct/memory-service.ts`). */
function assertOwnId(given: string | null | undefined, { context }: RouteInput): void {
  if (given == null || given === context.actor?.id) return
  throw new AppError('user_not_found', 'There is no such user.', { param: 'user_id' })
}

function projectOf(given: string | null | undefined): string | null {
  if (given == null) return null
  assertIdShape('project', given, 'project_id')
  return given
}

const upper = <Value extends string>(value: Value) => value.toUpperCase() as Uppercase<Value>

const deletion = {
  path: '/v1/memory/delete',
  tag,
  body: z.object({ user_id: userId, ids: z.array(z.string()) }),
  examples: { one: { ids: [exampleMemory.id] } },
  operation: DeleteMemoriesDocument,
  failures: ['max_items_exceeded'],
  response: z
    .object({ deleted_count: z.number().int().describe('How many of them were yours.') })
    .meta({ examples: [{ deleted_count: 1 }] }),
} as const

const deletionVariables = (input: RouteInput<z.output<typeof deletion.body>>) => {
  assertOwnId(input.body.user_id, input)
  return { ids: input.body.ids }
}
const deletedCount = ({
  deleteMemories,
}: {
  readonly deleteMemories: { readonly ids: readonly string[] }
}) => ({
  deleted_count: deleteMemories.ids.length,
})

/** Contract 8.14, for who is signed in: all of it is about the caller. */
export const memoryRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/memory/load',
    summary: 'Find memories that fit a text',
    description:
      'By what they mean where a model for embeddings is configured (`MEMORY_EMBEDDING_MODEL_ID`), else by their words; the best of the words has similarity 1.',
    tag,
    body: loadBody,
    examples: { cooking: { query: 'What shall I cook tonight?', options: { max_user_items: 5 } } },
    failures: ['feature_disabled'],
    operation: RecallMemoryDocument,
    variables: (input) => {
      const { user_id, query, project_id, conversation_id, options } = input.body
      assertOwnId(user_id, input)
      const most = (count: number | null | undefined) =>
        options?.augment_with_memory === false ? 0 : boundedInt(count)
      return {
        input: {
          query,
          projectId: projectOf(project_id),
          conversationId: conversation_id,
          maxUserItems: most(options?.max_user_items),
          maxProjectItems: most(options?.max_project_items),
          maxEpisodicItems: most(options?.max_episodic_items),
          minSimilarity: options?.min_similarity,
        },
      }
    },
    present: ({ recallMemory: { core, episodic, semantic } }) => ({
      core_memory: core.map(recalledJson),
      episodic_memory: episodic.map(recalledJson),
      semantic_memory: semantic.map(recalledJson),
    }),
    response: loaded,
  }),
  route({
    method: 'post',
    path: '/v1/memory/observe',
    summary: 'Have a conversation learned from',
    description: 'A model reads it in the background, as it reads every stored turn.',
    tag,
    bodyLimit: 'large',
    body: observeBody,
    examples: {
      turn: {
        conversation_id: 'conv_b5n7m1q3w9e2r4t6',
        messages: [
          { role: 'user', content: 'I take my tea without sugar.' },
          { role: 'assistant', content: 'Noted.' },
        ],
      },
    },
    failures: [
      'feature_disabled',
      'conversation_not_found',
      'model_not_found',
      'input_too_large',
      'service_unavailable',
    ],
    operation: ObserveConversationDocument,
    variables: (input) => {
      const { user_id, conversation_id, project_id, messages, tool_calls } = input.body
      assertOwnId(user_id, input)
      assertIdShape('conversation', conversation_id, 'conversation_id')
      return {
        input: {
          conversationId: conversation_id,
          projectId: projectOf(project_id),
          messages,
          toolCalls: tool_calls,
        },
      }
    },
    present: ({ observeConversation }) => ({ status: observeConversation.toLowerCase() }),
    response: observed,
  }),
  route({
    method: 'post',
    path: '/v1/memory/user/upsert',
    summary: 'Remember something of yourself',
    tag,
    body: z.object({ user_id: userId, items: z.array(userItem).describe('1 to 100 of them.') }),
    examples: {
      tea: {
        items: [{ scope: 'preference', key: 'tea', text: 'Drinks tea without sugar.', importance: 'low' }],
      },
    },
    failures: ['feature_disabled', 'max_items_exceeded'],
    operation: UpsertMemoriesDocument,
    variables: (input) => {
      assertOwnId(input.body.user_id, input)
      const items = input.body.items.map(({ scope, importance, ...item }) => ({
        ...item,
        scope: upper(scope),
        importance: importance && upper(importance),
      }))
      return { input: { items } }
    },
    present: ({ upsertMemories }) => ({ ids: upsertMemories.map(({ id }) => id) }),
    response: writtenIds,
  }),
  route({
    method: 'post',
    path: '/v1/memory/project/upsert',
    summary: 'Remember facts of a project',
    tag,
    body: z.object({
      user_id: userId,
      project_id: z.string().describe('A project of yours.'),
      facts: z.array(projectFact).describe('1 to 100 of them.'),
    }),
    examples: {
      fence: {
        project_id: 'proj_h3v8t0r5e2y6u1i9',
        facts: [{ kind: 'decision', title: 'Colour', text: 'The fence is green.', confidence: 0.9 }],
      },
    },
    failures: ['feature_disabled', 'project_not_found', 'max_items_exceeded'],
    operation: UpsertProjectMemoriesDocument,
    variables: (input) => {
      const { user_id, project_id, facts } = input.body
      assertOwnId(user_id, input)
      assertIdShape('project', project_id, 'project_id')
      return {
        input: {
          projectId: project_id,
          facts: facts.map(({ kind, ...fact }) => ({ ...fact, kind: upper(kind) })),
        },
      }
    },
    present: ({ upsertProjectMemories }) => ({ ids: upsertProjectMemories.map(({ id }) => id) }),
    response: writtenIds,
  }),
  route({
    ...deletion,
    method: 'delete',
    summary: 'Forget memories',
    operationId: 'deleteMemories',
    variables: deletionVariables,
    present: deletedCount,
  }),
  route({
    ...deletion,
    method: 'post',
    summary: 'Forget memories, for clients that send no body with DELETE',
    operationId: 'postDeleteMemories',
    variables: deletionVariables,
    present: deletedCount,
  }),
  route({
    method: 'get',
    path: '/v1/memory/stats',
    summary: 'Tell how much is remembered',
    tag,
    query: z.object({
      user_id: z.string().optional().describe('May be left out; else your own id.'),
      project_id: z.string().optional().describe('Count only facts of this project.'),
    }),
    operation: MemoryStatsDocument,
    variables: (input) => {
      assertOwnId(input.query.user_id, input)
      return { projectId: projectOf(input.query.project_id) }
    },
    present: ({ memoryStats }) => memoryStats,
    response: stats,
  }),
  route({
    method: 'get',
    path: '/v1/memory/export',
    summary: 'Export all that is remembered of you',
    tag,
    query: z.object({ user_id: z.string().optional().describe('May be left out; else your own id.') }),
    operation: ExportMemoriesDocument,
    variables: (input) => {
      assertOwnId(input.query.user_id, input)
      return {}
    },
    present: ({ exportMemories }, { context }, response) => {
      response.setHeader('Content-Disposition', 'attachment; filename="memories.json"')
      return {
        user_id: context.actor?.id ?? '',
        exported_at: new Date().toISOString(),
        memories: exportMemories.map(memoryJson),
      }
    },
    response: exported,
  }),
  route({
    method: 'get',
    path: '/v1/memory',
    summary: 'List what is remembered of you',
    tag,
    query: pageQuery.extend({
      scope: memoryScope.optional().describe('Only those of this scope.'),
      project_id: z.string().optional().describe('Only facts of this project.'),
    }),
    operation: MemoriesDocument,
    variables: ({ query }) => ({
      ...pageArguments(query),
      scope: query.scope && upper(query.scope),
      projectId: projectOf(query.project_id),
    }),
    present: ({ memories }, { context }) => list(memories, memoryJson, context.requestId),
    response: listOf(memoryResource),
  }),
  route({
    method: 'patch',
    path: '/v1/memory/:memory_id',
    summary: 'Change a memory',
    tag,
    body: z.object({
      key: z.string().nullish(),
      text: z.string().nullish(),
      importance: importance.nullish(),
      kind: factKind.nullish().describe('Of facts of projects only.'),
      confidence: z.number().nullish().describe('0 to 1; null removes it.'),
    }),
    aliases: { title: 'key' },
    examples: { correction: { text: 'Drinks coffee now.' } },
    failures: ['memory_not_found', 'already_exists'],
    operation: UpdateMemoryDocument,
    variables: (input) => {
      const { importance, kind, ...rest } = input.body
      const id = input.params.memory_id ?? ''
      assertIdShape('memory', id, 'memory_id')
      return {
        input: { id, ...rest, importance: importance && upper(importance), kind: kind && upper(kind) },
      }
    },
    present: ({ updateMemory }, { context }) => dual(memoryJson(updateMemory), context.requestId),
    response: dualOf(memoryResource),
  }),
  route({
    method: 'post',
    path: '/v1/embed/test',
    summary: 'Try the model that makes the vectors of memories',
    tag,
    failures: ['feature_disabled', 'model_not_found', 'provider_error', 'upstream_timeout'],
    operation: TestMemoryEmbeddingDocument,
    variables: () => ({}),
    present: ({ testMemoryEmbedding: { modelId, dimension } }) => ({
      status: modelId === null ? ('disabled' as const) : ('ok' as const),
      dimension,
      model: modelId,
    }),
    response: z
      .object({
        status: z.enum(['ok', 'disabled']).describe('`disabled`: none is configured, words are compared.'),
        dimension: z.number().int().describe('The length of its vectors.'),
        model: z.string().nullable(),
      })
      .meta({ examples: [{ status: 'ok', dimension: 1024, model: 'bge-m3' }] }),
  }),
]
