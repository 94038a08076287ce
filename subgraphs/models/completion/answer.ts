import type { AnswerNotes } from '../../../platform/openai/answer-notes.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { TokenUsage } from '../../../platform/openai/token-usage.ts'
import { type JsonObject, spliceFields } from '../providers/index.ts'

/** What the platform puts into a provider's answer. */
export interface AnswerChanges {
  /** The id of the model that was asked for. */
  readonly modelId: string
  /** Null where the provider sent its own. */
  readonly usage: TokenUsage | null
  readonly conversation: ConversationStub | null
}

/** A provider's answer with our fields in it; all others keep their bytes. */
export function answerBytes(body: Buffer, { modelId, usage, conversation }: AnswerChanges): Buffer {
  return spliceFields(body, {
    model: JSON.stringify(modelId),
    ...(usage ? { usage: JSON.stringify(usage) } : {}),
    ...(conversation ? { conversation: JSON.stringify(conversation) } : {}),
  })
}

/** What is told beside an answer; nothing where no module had something to say. */
export function notesOf(promptModules: readonly string[]): AnswerNotes | undefined {
  return promptModules.length > 0 ? { promptModules } : undefined
}

/** The first choice of a whole answer. */
export function firstMessage(json: JsonObject): { message: JsonObject; finishReason: string | null } {
  const [choice] = json.choices as JsonObject[]
  const message = choice?.message as JsonObject | undefined
  return {
    message: message ?? { role: 'assistant', content: '' },
    finishReason: typeof choice?.finish_reason === 'string' ? choice.finish_reason : null,
  }
}

/** What all choices of a whole answer say. */
export function messagesOf(json: JsonObject): unknown[] {
  return (json.choices as JsonObject[]).map(({ message }) => message)
}
