import type { RequestContext } from '../../../platform/context.ts'
import type { ChatMessage } from '../../../platform/openai/chat-message.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import {
  AppendTurnDocument,
  BeginTurnDocument,
  CheckpointTurnDocument,
  FinishTurnDocument,
  ProjectInstructionDocument,
  TurnContextDocument,
} from '../operations.generated.ts'
import type { JsonObject } from '../providers/index.ts'
import type { ChatRequest } from './chat-request.ts'

/** Writes go on after the client has left, but not for ever. */
const writeDeadlineMs = 10_000

/** What a conversation contributes to a completion before it is made. */
export interface TurnHistory {
  readonly conversation: ConversationStub
  readonly projectId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  /** The project's; null where there is none. */
  readonly instruction: string | null
  /** The items so far, as OpenAI's messages. */
  readonly messages: readonly JsonObject[]
}

/** How a turn ended. */
export interface TurnOutcome {
  readonly status: 'COMPLETED' | 'INCOMPLETE' | 'FAILED'
  readonly message: object
  readonly finishReason: string | null
  readonly usage: object | null
  readonly incompleteReason?: string
  readonly error?: object
}

/**
 * Reads what goes before the request's messages. The project is asked for its instruction only where there is one: most
 * conversations have none, and a query of one subgraph needs no plan to be executed. Null where the conversation is new.
 * @throws AppError `conversation_not_found`
 */
export async function readHistory(
  request: ChatRequest,
  context: RequestContext,
): Promise<TurnHistory | null> {
  const { conversation } = request
  if (!conversation?.id) return null
  const { turnContext } = await context.graph.execute(
    TurnContextDocument,
    {
      input: {
        conversationId: conversation.id,
        branch: conversation.branch,
        openCalls: answeredCalls(request.messages),
        fork: request.fork,
      },
    },
    context,
  )
  const { id, title, metadata, project, effectiveInstructionSnapshot: pinned } = turnContext.conversation
  const history = withoutRepetition(turnContext.messages as JsonObject[], request.messages)
  return {
    conversation: { id, title: title ?? null },
    projectId: project?.id ?? null,
    metadata: metadata as Readonly<Record<string, unknown>>,
    instruction: pinned ?? (project ? await instructionOf(project.id, context) : null),
    messages: history,
  }
}

/** Null where there is none, and where the project was deleted. */
async function instructionOf(id: string, context: RequestContext): Promise<string | null> {
  const { project } = await context.graph.execute(ProjectInstructionDocument, { id }, context)
  return project?.instruction ?? null
}

/** The tool calls that the request brings the results of: they stay open in the history. */
function answeredCalls(messages: readonly ChatMessage[]): string[] {
  return messages.flatMap((message) => (message.role === 'tool' ? [message.tool_call_id] : []))
}

/** Contract 3.5. */
export function projectText(instruction: string): string {
  return `Project instruction (it outranks user settings and preferences):\n\n${instruction}`
}

/** After a regeneration the branch ends with the message that is asked again: the model shall see it once. */
function withoutRepetition(
  history: readonly JsonObject[],
  own: readonly ChatMessage[],
): readonly JsonObject[] {
  const last = history.at(-1)
  const [asked, ...more] = own.filter(({ role }) => role !== 'system' && role !== 'developer')
  const repeats =
    last?.role === 'user' &&
    asked?.role === 'user' &&
    more.length === 0 &&
    JSON.stringify(last.content) === JSON.stringify(asked.content)
  return repeats ? history.slice(0, -1) : history
}

/** Where a whole turn was stored. */
export interface TurnPlace {
  readonly conversation: ConversationStub
  readonly branch: string
  /** Null where no message was stored. */
  readonly userItemId: string | null
  readonly assistantItemId: string
  /** The name of the former main branch, where the turn has forked. */
  readonly oldMainBackup: string | null
}

/** The writing side of a stored turn. All of it is idempotent by the completion's id. */
export interface StoredTurn {
  /** Stores the caller's message and an answer in progress. @throws AppError */
  begin(): Promise<ConversationStub>
  /** Stores the answer so far and renews the turn's lease; null only renews it. */
  checkpoint(message: object | null): Promise<void>
  /** Ends a turn that was begun. */
  finish(outcome: TurnOutcome): Promise<ConversationStub>
  /** Both halves at once. */
  append(outcome: TurnOutcome): Promise<TurnPlace>
}

/** Null where nothing is to be stored: no conversation takes part, or it is only read. */
export function storedTurn(
  { id: completionId, modelId }: { readonly id: string; readonly modelId: string },
  request: ChatRequest,
  base: RequestContext,
): StoredTurn | null {
  const { conversation, parsed, fork } = request
  if (!conversation || parsed.store === false) return null
  const first = {
    completionId,
    conversationId: conversation.id,
    branch: conversation.branch,
    referrer: conversation.referrer,
    modelId,
    userMessage: messageToStore(request.messages),
    storeReasoning: parsed.store_reasoning ?? false,
    fork,
  }
  const surviving = () => ({ ...base, signal: AbortSignal.timeout(writeDeadlineMs) })
  return {
    async begin() {
      const context = surviving()
      return stub((await context.graph.execute(BeginTurnDocument, { input: first }, context)).beginTurn)
    },
    async checkpoint(message) {
      const context = surviving()
      await context.graph.execute(CheckpointTurnDocument, { input: { completionId, message } }, context)
    },
    async finish(outcome) {
      const context = surviving()
      const variables = { input: { completionId, ...outcome } }
      return stub((await context.graph.execute(FinishTurnDocument, variables, context)).finishTurn)
    },
    async append(outcome) {
      const context = surviving()
      const variables = { input: { ...first, ...outcome } }
      const { appendTurn } = await context.graph.execute(AppendTurnDocument, variables, context)
      return { ...appendTurn, conversation: stub(appendTurn) }
    },
  }
}

function stub({
  conversation: { id, title },
}: {
  conversation: { id: string; title?: string | null }
}): ConversationStub {
  return { id, title: title ?? null }
}

/** Contract 2.1: the last message; several answers of tools together; no system messages. */
function messageToStore(messages: readonly ChatMessage[]): unknown {
  const last = messages.at(-1)
  if (!last || last.role === 'system' || last.role === 'developer') return null
  const begin = messages.findLastIndex(({ role }) => role !== 'tool') + 1
  const answers = messages.slice(begin)
  return answers.length > 1 ? answers : last
}
