import { AppError } from '../../../platform/errors.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import {
  type ChatCompletionRequest,
  chatCompletionRequest,
} from '../../../platform/openai/chat-completion-request.ts'
import type { ChatMessage } from '../../../platform/openai/chat-message.ts'
import { rawBodyOf } from '../../../platform/openai/raw-body.ts'
import { isLongerThan } from '../../../platform/text.ts'
import { validated } from '../../../platform/validate.ts'
import { hintsFromHeaders, hintsFromInput, type PromptHints } from '../prompts/hints.ts'
import type { ChatCompletionInput, ChatMessageInput } from '../schema.generated.ts'
import { wireFields, withoutAbsent } from '../wire-input.ts'
import { translateDialects } from './message-dialects.ts'

/** A chat completion to be made: the body's bytes as they came, and the same checked. */
export interface ChatRequest {
  readonly bytes: Buffer
  readonly parsed: ChatCompletionRequest
  /** The messages in OpenAI's own dialect; those of `parsed` where they were. */
  readonly messages: readonly ChatMessage[]
  /** Null where no conversation takes part. */
  readonly conversation: WantedConversation | null
  /** The message of the conversation that is asked again; null where the request brings its own. */
  readonly fork: TurnFork | null
  /** What goes into its prompt beside its messages, where prompts are orchestrated. */
  readonly hints: PromptHints | null
}

/** A user's message, or an answer to it, that is asked again. */
export interface TurnFork {
  readonly itemId: string
  /** What the user's message is to say instead. */
  readonly content: string | null
}

/** The conversation that a completion belongs to; without an id it begins a new one. */
export interface WantedConversation {
  readonly id: string | null
  readonly branch: string | null
  readonly referrer: string | null
}

const maxReferrerLength = 64

/**
 * A request of the REST adapter, which has checked the body. Between processes only its text travels, so it is read again.
 * @throws AppError `invalid_parameter`, `invalid_id`
 */
export function fromRawBody(value: unknown, referrer: string | null, hints: unknown): ChatRequest {
  const { bytes, parsed } = rawBodyOf(value)
  const request = parsed ?? validated(chatCompletionRequest, JSON.parse(bytes.toString()))
  return chatRequest(bytes, request as ChatCompletionRequest, referrer, hintsFromHeaders(hints))
}

/**
 * A request of a GraphQL client. Errors name the fields as the wire does.
 * @throws AppError `invalid_parameter`, `invalid_id`
 */
export function fromInput(input: ChatCompletionInput): ChatRequest {
  const parsed = validated(chatCompletionRequest, wireRequest(input))
  const hints = input.prompt ? hintsFromInput(input.prompt) : null
  return chatRequest(Buffer.from(JSON.stringify(parsed)), parsed, input.referrer ?? null, hints)
}

function chatRequest(
  bytes: Buffer,
  parsed: ChatCompletionRequest,
  referrer: string | null,
  hints: PromptHints | null,
): ChatRequest {
  return {
    bytes,
    parsed,
    messages: translateDialects(parsed.messages),
    conversation: wantedConversation(parsed, referrer),
    hints,
    fork: null,
  }
}

function wantedConversation(
  { conversation }: ChatCompletionRequest,
  referrer: string | null,
): WantedConversation | null {
  if (referrer !== null && isLongerThan(referrer, maxReferrerLength)) {
    throw new AppError(
      'invalid_parameter',
      `referrer is too long: at most ${maxReferrerLength} characters.`,
      {
        param: 'referrer',
      },
    )
  }
  if (conversation == null && !referrer) return null
  const given = typeof conversation === 'string' ? { id: conversation } : (conversation ?? {})
  const id = given.id ?? null
  if (id !== null) assertIdShape('conversation', id, 'conversation')
  return { id, branch: ('branch' in given ? given.branch : null) ?? null, referrer }
}

function wireRequest({
  messages,
  conversation,
  referrer: _,
  prompt: __,
  ...input
}: ChatCompletionInput): object {
  const placed = { messages: messages.map(wireMessage), ...(conversation ? { conversation } : {}) }
  return { ...wireFields(input), ...placed }
}

function wireMessage({
  role,
  content,
  name,
  toolCallId,
  toolCalls,
  reasoningContent,
}: ChatMessageInput): object {
  return withoutAbsent({
    role: role.toLowerCase(),
    content,
    name,
    tool_call_id: toolCallId,
    tool_calls: toolCalls,
    reasoning_content: reasoningContent,
  })
}

/** GraphQL clients send null for what they leave out; a provider may take it amiss. */
