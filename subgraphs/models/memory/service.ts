import { requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import { requiredText } from '../../../platform/text.ts'
import { ObservedConversationDocument, ObservedProjectDocument } from '../operations.generated.ts'
import type { ObservationStatus, ObserveConversationInput, RecallMemoryInput } from '../schema.generated.ts'
import { mayObserve } from './learner.ts'
import type { MemoryProcess } from './process.ts'
import type { Recalled } from './recall.ts'
import { transcriptMessages } from './transcript.ts'

const maxQueryLength = 32_768
const maxMessages = 100
const maxMessageText = 100_000

/** What clients ask of memory that needs a model. Errors name the fields as the wire does. */
export function memoryService(context: RequestContext, memory: MemoryProcess | null) {
  const opened = () => {
    requireActor(context.actor)
    if (!memory) throw new AppError('feature_disabled', 'Memory is switched off here (MEMORY_ENABLED).')
    return memory
  }
  return {
    /** @throws AppError `feature_disabled`, `invalid_parameter` */
    async recall(input: RecallMemoryInput): Promise<Recalled> {
      const { query, projectId, conversationId, minSimilarity } = input
      const { recall } = opened()
      return recall(
        {
          query: requiredText(query, { param: 'query', max: maxQueryLength }),
          projectId: projectId != null && hasIdShape('project', projectId) ? projectId : null,
          exceptConversationId: conversationId ?? null,
          maxUserItems: within(input.maxUserItems ?? 3, 20, 'options.max_user_items'),
          maxProjectItems: within(input.maxProjectItems ?? 5, 50, 'options.max_project_items'),
          maxEpisodicItems: within(input.maxEpisodicItems ?? 3, 20, 'options.max_episodic_items'),
          minSimilarity: within(minSimilarity ?? 0.75, 1, 'options.min_similarity'),
        },
        context,
      )
    },

    /** @throws AppError `feature_disabled`, `conversation_not_found`, `project_not_found`, `model_not_found`, `service_unavailable` */
    async observe(input: ObserveConversationInput): Promise<ObservationStatus> {
      const { learn } = opened()
      const said = observedMessages(input)
      const conversation = await ownConversation(input.conversationId, context)
      if (input.projectId != null) await assertOwnProject(input.projectId, context)
      const projectId = input.projectId ?? conversation.project?.id ?? null
      if (!(await mayObserve(context))) return 'DISABLED'
      const transcript = { conversationId: conversation.id, projectId, messages: transcriptMessages(said) }
      const fate = learn(transcript, null, context)
      if (fate === 'accepted') return 'ACCEPTED'
      if (fate === 'no_reader') throw new AppError('model_not_found', 'There is no model that could read it.')
      throw new AppError('service_unavailable', 'Too many conversations wait to be learned from.', {
        retryAfter: 10,
      })
    },

    /** @throws AppError `feature_disabled`, and as the model fails */
    async test(): Promise<{ modelId: string | null; dimension: number }> {
      const { embedding } = opened()
      if (!embedding) return { modelId: null, dimension: 0 }
      const [vector = ''] = await embedding.embed(['test'], context)
      return { modelId: embedding.modelId, dimension: Buffer.from(vector, 'base64').length / 4 }
    },
  }
}

/** The service of one request. */
export type MemoryService = ReturnType<typeof memoryService>

async function ownConversation(id: string, context: RequestContext) {
  const found = hasIdShape('conversation', id)
    ? (await context.graph.execute(ObservedConversationDocument, { id }, context)).conversation
    : null
  if (found) return found
  throw new AppError('conversation_not_found', 'There is no such conversation.', { param: 'conversation_id' })
}

async function assertOwnProject(id: string, context: RequestContext): Promise<void> {
  const found =
    hasIdShape('project', id) &&
    (await context.graph.execute(ObservedProjectDocument, { id }, context)).project
  if (!found) throw new AppError('project_not_found', 'There is no such project.', { param: 'project_id' })
}

function observedMessages({ messages, toolCalls }: ObserveConversationInput): object[] {
  if (messages.length === 0)
    throw new AppError('missing_parameter', 'messages must not be empty.', { param: 'messages' })
  const length = messages.reduce((sum, { content }) => sum + content.length, 0)
  if (messages.length > maxMessages || length > maxMessageText)
    throw new AppError(
      'input_too_large',
      `At most ${maxMessages} messages and ${maxMessageText} characters at once.`,
      { param: 'messages' },
    )
  const calls = toolCalls?.length ? [{ role: 'tool', content: JSON.stringify(toolCalls) }] : []
  return [...calls, ...messages]
}

function within(value: number, max: number, param: string): number {
  if (value >= 0 && value <= max) return value
  throw new AppError('invalid_parameter', `${param} must be from 0 to ${max}.`, { param })
}
