import type { AssembledToolCall } from '../chunk-accumulator.ts'
import { estimateMessageTokens } from '../token-estimate.ts'
import type { ChatMessage, ChatRequest } from './chat-request.ts'
import { describeImages } from './images.ts'
import { pieces } from './pieces.ts'
import { schemaInstance } from './schema-instance.ts'
import { toolCalls } from './tool-calls.ts'

/** An answer before it is put into OpenAI's shapes. Every choice of a request is the same. */
export interface Reply {
  readonly content: string | null
  readonly reasoning: string | null
  readonly toolCalls: readonly AssembledToolCall[]
  readonly finishReason: 'stop' | 'length' | 'tool_calls'
  readonly promptTokens: number
  /** Of one choice, reasoning included. */
  readonly completionTokens: number
  readonly reasoningTokens: number
}

const label = '[development model]'
const nature = "This is Jan's built-in development model: no intelligence, only plumbing."
/** Longer texts are repeated up to here. */
const maxEcho = 2_000

/** The development model's whole mind: what it says depends on the request alone. */
export function replyTo(request: ChatRequest): Reply {
  const reasoning = request.reasoningEffort === null ? null : reasoningFor(request)
  const reasoningTokens = reasoning === null ? 0 : pieces(reasoning).length
  const promptTokens = promptTokensOf(request.messages)
  const calls = toolCalls(request)
  if (calls.length > 0) {
    const completionTokens =
      reasoningTokens + pieces(calls.map((call) => call.function.arguments).join(' ')).length
    return {
      content: null,
      reasoning,
      toolCalls: calls,
      finishReason: 'tool_calls',
      promptTokens,
      completionTokens,
      reasoningTokens,
    }
  }
  const { content, finishReason, tokens } = bounded(fullText(request), request)
  const completionTokens = reasoningTokens + tokens
  return { content, reasoning, toolCalls: [], finishReason, promptTokens, completionTokens, reasoningTokens }
}

function fullText(request: ChatRequest): string {
  if (request.jsonFormat) return JSON.stringify(jsonAnswer(request, request.jsonFormat.schema))
  const results = toolResults(request.messages)
  if (results.length > 0) return [label, ...results].join(' ')
  const spoken = lastOf(request.messages, 'user')
  const said = spoken?.text ? `You said: "${echo(spoken.text)}"` : null
  return [label, nature, said, describeImages(spoken?.imageUrls ?? []), earlier(request.messages)]
    .filter(Boolean)
    .join(' ')
}

function jsonAnswer({ messages }: ChatRequest, schema: unknown): unknown {
  if (schema !== null) return schemaInstance(schema)
  return { model: 'development model', notice: nature, you_said: echo(lastOf(messages, 'user')?.text ?? '') }
}

/** The results that the last messages bring, each with the name of its function where the call is known. */
function toolResults(messages: readonly ChatMessage[]): string[] {
  const first = messages.findLastIndex((message) => message.role !== 'tool') + 1
  const names = new Map(
    messages.flatMap((message) => message.toolCalls.map((call) => [call.id, call.name] as const)),
  )
  return messages.slice(first).map((message) => {
    const name = message.toolCallId === null ? undefined : names.get(message.toolCallId)
    return `The tool${name ? ` ${name}` : ''} answered: ${echo(message.text)}`
  })
}

function earlier(messages: readonly ChatMessage[]): string | null {
  const count =
    messages.filter((message) => message.role === 'user' || message.role === 'assistant').length - 1
  if (count < 1) return null
  return `I was also sent ${count} earlier ${count === 1 ? 'message' : 'messages'} of this conversation.`
}

function reasoningFor({ reasoningEffort, messages }: ChatRequest): string {
  return `Effort ${reasoningEffort}. I was sent ${messages.length} ${messages.length === 1 ? 'message' : 'messages'}. I cannot think, so I repeat what was said.`
}

/** Cuts at the first stop sequence, then at the limit of tokens. */
function bounded(
  text: string,
  { stop, maxTokens }: ChatRequest,
): { content: string; finishReason: 'stop' | 'length'; tokens: number } {
  const ends = stop.map((word) => text.indexOf(word)).filter((at) => at !== -1)
  const all = pieces(ends.length > 0 ? text.slice(0, Math.min(...ends)) : text)
  const kept = all.slice(0, maxTokens)
  return {
    content: kept.join(''),
    finishReason: kept.length < all.length ? 'length' : 'stop',
    tokens: kept.length,
  }
}

function promptTokensOf(messages: readonly ChatMessage[]): number {
  const words = messages.reduce((sum, message) => sum + pieces(message.text).length, 0)
  const images = messages.flatMap((message) => message.imageUrls).map(() => ({ type: 'image_url' }))
  return words + estimateMessageTokens([{ content: images }])
}

function lastOf(messages: readonly ChatMessage[], role: string): ChatMessage | undefined {
  return messages.findLast((message) => message.role === role)
}

/** By code points: a cut inside a surrogate pair would make text that is no text. */
function echo(text: string): string {
  return text.length <= maxEcho ? text : `${[...text.slice(0, maxEcho * 2)].slice(0, maxEcho).join('')}…`
}
