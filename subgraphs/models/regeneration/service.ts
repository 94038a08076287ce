import { requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import {
  type ChatCompletionRequest,
  chatCompletionRequest,
} from '../../../platform/openai/chat-completion-request.ts'
import { validated } from '../../../platform/validate.ts'
import { openModel } from '../catalogue/access.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import { firstMessage } from '../completion/answer.ts'
import type { ChatRequest } from '../completion/chat-request.ts'
import type { CompletionStream } from '../completion/completion-stream.ts'
import type { CompletionService } from '../completion/service.ts'
import {
  type PreparedBranchFragment,
  PrepareEditDocument,
  PrepareRegenerationDocument,
  TurnForkPointDocument,
} from '../operations.generated.ts'
import type { RegenerateInput } from '../schema.generated.ts'

/** What asking again did. */
export interface Regeneration {
  readonly branch: string
  readonly oldMainBackup: string | null
  readonly userItem: { readonly id: string }
  /** Null where no model was asked. */
  readonly item: { readonly id: string } | null
  readonly content: string | null
}

/** Asks messages of users again (contract 3.3, R23): with the model that is named, else with the one that the conversation used last. */
export function regenerationService(
  context: RequestContext,
  catalogue: LiveCatalogue,
  completions: CompletionService,
) {
  const { graph } = context

  /** Null where the conversation has used no model, or one that does not answer any more. */
  const lastModel = async ({ conversationId, itemId }: RegenerateInput): Promise<string | null> => {
    const { turnForkPoint } = await graph.execute(
      TurnForkPointDocument,
      { input: { conversationId, itemId } },
      context,
    )
    const id = turnForkPoint.lastModelId
    return id !== null && openModel(catalogue.registry, id, requireActor(context.actor)) ? id : null
  }

  const prepared = async ({
    conversationId,
    itemId,
    content,
  }: RegenerateInput): Promise<PreparedBranchFragment> => {
    if (content == null) {
      const variables = { input: { conversationId, itemId } }
      return (await graph.execute(PrepareRegenerationDocument, variables, context)).prepareRegeneration
    }
    return (await graph.execute(PrepareEditDocument, { input: { conversationId, itemId, content } }, context))
      .editItem
  }

  return {
    /** @throws AppError `invalid_id`, `conversation_not_found`, `item_not_found`, `invalid_parameter`, and as completions do */
    async regenerate(input: RegenerateInput): Promise<Regeneration> {
      assertIds(input)
      const modelId = input.model ?? (await lastModel(input))
      if (modelId === null) return { ...(await prepared(input)), item: null, content: null }
      const { json, turn } = await completions.answer(regenerationRequest(input, modelId, {}))
      if (!turn?.userItemId) throw new Error('A regeneration was not stored.')
      const { content } = firstMessage(json).message
      return {
        branch: turn.branch,
        oldMainBackup: turn.oldMainBackup,
        userItem: { id: turn.userItemId },
        item: { id: turn.assistantItemId },
        content: typeof content === 'string' ? content : null,
      }
    },

    /** @throws AppError as `regenerate` does, and `missing_parameter` naming `model` where there is none to ask */
    async stream(input: RegenerateInput, includeUsage: boolean): Promise<CompletionStream> {
      assertIds(input)
      const modelId = input.model ?? (await lastModel(input))
      if (modelId === null) {
        throw new AppError('missing_parameter', 'The conversation has used no model yet: name one.', {
          param: 'model',
        })
      }
      const streamed = { stream: true, ...(includeUsage ? { stream_options: { include_usage: true } } : {}) }
      return completions.stream(regenerationRequest(input, modelId, streamed))
    },
  }
}

/** The regeneration service of one request. */
export type RegenerationService = ReturnType<typeof regenerationService>

function assertIds({ conversationId, itemId }: RegenerateInput): void {
  assertIdShape('conversation', conversationId, 'conversation_id')
  assertIdShape('item', itemId, 'item_id')
}

const parameters = chatCompletionRequest.pick({
  model: true,
  temperature: true,
  max_tokens: true,
  stream: true,
  stream_options: true,
})

/** A request that says nothing of its own: all that the model is told is the history, the message at its end. */
function regenerationRequest(
  { conversationId, itemId, content, temperature, maxTokens }: RegenerateInput,
  model: string,
  streamed: object,
): ChatRequest {
  const given = validated(parameters, {
    model,
    ...(temperature == null ? {} : { temperature }),
    ...(maxTokens == null ? {} : { max_tokens: maxTokens }),
    ...streamed,
  })
  const parsed: ChatCompletionRequest = { ...given, messages: [] }
  return {
    bytes: Buffer.from(JSON.stringify(parsed)),
    parsed,
    messages: parsed.messages,
    conversation: { id: conversationId, branch: null, referrer: null },
    fork: { itemId, content: content ?? null },
  }
}
