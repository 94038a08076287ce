import type { Actor } from '../../../platform/actor.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { EmbeddingRequest } from '../../../platform/openai/embedding-request.ts'
import type { TokenUsage } from '../../../platform/openai/token-usage.ts'
import type { Prompt } from '../context/index.ts'
import { estimateMessageTokens, estimateTokens } from '../providers/index.ts'
import type { CompletionEnd } from './completion-stream.ts'
import { answeringId, type Candidate } from './prepared.ts'
import type { UsageRecord } from './usage-recorder.ts'

/** A call to a model that is accounted for. */
export interface AccountedCall {
  readonly id: string
  readonly actor: Actor
  /** As it was asked for. */
  readonly modelId: string
  /** By `performance.now()`. */
  readonly startedAt: number
}

/** What has become of a call. */
export interface CallOutcome {
  readonly end: CompletionEnd
  readonly tokens: TokenUsage
  readonly stream: boolean
  /** Milliseconds from the call to the first text; none where the answer comes whole, or nothing came. */
  readonly firstTokenMs?: number | null
  readonly conversation?: ConversationStub | null
}

/** Who has answered a call. */
export interface Answerer {
  /** The model's id, as it is accounted for. */
  readonly model: string
  /** The provider's name. */
  readonly provider: string
}

export function answererOf(call: AccountedCall, candidate: Candidate): Answerer {
  return { model: answeringId(call, candidate), provider: candidate.offer.provider.name }
}

export function usageRecord(
  { id, actor, startedAt }: AccountedCall,
  { model, provider }: Answerer,
  { end, tokens, stream, firstTokenMs = null, conversation = null }: CallOutcome,
): UsageRecord {
  return {
    id,
    userId: actor.id,
    model,
    provider,
    conversationId: conversation?.id ?? null,
    promptTokens: tokens.prompt_tokens,
    completionTokens: tokens.completion_tokens,
    totalTokens: tokens.total_tokens,
    estimated: tokens.estimated === true,
    durationMs: Math.round(performance.now() - startedAt),
    timeToFirstTokenMs: firstTokenMs === null ? null : Math.round(firstTokenMs),
    status: end,
    stream,
  }
}

/** Figures for where the provider told none: marked, so that nobody takes them for the provider's. */
export function estimatedUsage({ messages }: Prompt, completionTokens: number): TokenUsage {
  return estimate(estimateMessageTokens(messages), completionTokens)
}

/** The same for embeddings, which produce no tokens. */
export function estimatedEmbeddingUsage({ input }: EmbeddingRequest): TokenUsage {
  const inputs: readonly unknown[] = typeof input === 'string' ? [input] : input
  return estimate(
    inputs.reduce<number>((sum, one) => sum + inputTokens(one), 0),
    0,
  )
}

/** Of a text, a token array, or one token of it. */
function inputTokens(input: unknown): number {
  if (typeof input === 'string') return estimateTokens(input)
  return Array.isArray(input) ? input.length : 1
}

function estimate(promptTokens: number, completionTokens: number): TokenUsage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    estimated: true,
  }
}
