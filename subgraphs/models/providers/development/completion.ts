import { AppError } from '../../../../platform/errors.ts'
import type { CompletionUsage, JsonObject } from '../provider.ts'
import { pieces } from './pieces.ts'
import type { Reply } from './reply.ts'

/** What all chunks of one completion share. */
export interface CompletionHead {
  readonly id: string
  /** Unix seconds. */
  readonly created: number
  readonly model: string
}

const fingerprint = 'fp_development'
/** Characters of all choices of an answer together that is told whole. */
const mostTold = 4_000_000

/** @throws AppError `invalid_parameter` naming `n` where that makes a long answer too long to be told whole */
export function wholeCompletion(
  { id, created, model }: CompletionHead,
  reply: Reply,
  choices: number,
): JsonObject {
  if (choices > 1 && choices * (reply.content?.length ?? 0) > mostTold)
    throw new AppError(
      'invalid_parameter',
      'The choices are too long together. Ask for fewer, or for a stream.',
      {
        param: 'n',
      },
    )
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message: message(reply),
      logprobs: null,
      finish_reason: reply.finishReason,
    })),
    usage: usage(reply, choices),
    system_fingerprint: fingerprint,
  }
}

/** The chunks of a stream in order: per choice the role, reasoning, text or calls, and the finish; then the usage where it is wanted. */
export function* completionChunks(
  head: CompletionHead,
  reply: Reply,
  choices: number,
  withUsage: boolean,
): Generator<JsonObject> {
  for (let index = 0; index < choices; index++) {
    for (const delta of deltas(reply))
      yield chunk(head, [{ index, delta, logprobs: null, finish_reason: null }])
    yield chunk(head, [{ index, delta: {}, logprobs: null, finish_reason: reply.finishReason }])
  }
  if (withUsage) yield { ...chunk(head, []), usage: usage(reply, choices) }
}

function message({ content, reasoning, toolCalls }: Reply): JsonObject {
  return {
    role: 'assistant',
    content,
    refusal: null,
    ...(reasoning === null ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  }
}

function* deltas({ content, reasoning, toolCalls }: Reply): Generator<JsonObject> {
  yield { role: 'assistant', content: toolCalls.length > 0 ? null : '' }
  for (const piece of pieces(reasoning ?? '')) yield { reasoning_content: piece }
  for (const piece of pieces(content ?? '')) yield { content: piece }
  for (const [index, call] of toolCalls.entries()) {
    yield {
      tool_calls: [
        { index, id: call.id, type: 'function', function: { name: call.function.name, arguments: '' } },
      ],
    }
    for (const piece of call.function.arguments.match(/.{1,24}/gsu) ?? []) {
      yield { tool_calls: [{ index, function: { arguments: piece } }] }
    }
  }
}

function chunk({ id, created, model }: CompletionHead, choices: JsonObject[]): JsonObject {
  return { id, object: 'chat.completion.chunk', created, model, system_fingerprint: fingerprint, choices }
}

function usage({ promptTokens, completionTokens, reasoningTokens }: Reply, choices: number): CompletionUsage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens * choices,
    total_tokens: promptTokens + completionTokens * choices,
    ...(reasoningTokens > 0
      ? { completion_tokens_details: { reasoning_tokens: reasoningTokens * choices } }
      : {}),
  }
}
