import type { ChatCompletionRequest } from '../../../platform/openai/chat-completion-request.ts'
import { platformFields } from '../../../platform/openai/chat-completion-request.ts'
import type { Prompt } from '../context/index.ts'
import { type FieldEdit, findFieldValue, type JsonObject, spliceFields } from '../providers/index.ts'
import type { ChatRequest } from './chat-request.ts'

/** What differs between the body that came and the one that a provider gets. */
export interface BodyChanges {
  /** Messages that go before the request's own. */
  readonly before: readonly JsonObject[]
  /** What the catalogue says of parameters that the request leaves out. */
  readonly defaults: Readonly<Record<string, unknown>>
  readonly streamed: boolean
  /** What is told in place of all messages and tools, where it is not what came: trimmed, or with images for ids. */
  readonly told: Pick<Prompt, 'messages' | 'tools'> | null
}

/** Our own fields, which no provider sees. */
const removed: Readonly<Record<string, null>> = Object.fromEntries(
  Object.keys(platformFields).map((name) => [name, null]),
)

/**
 * The body for a provider: the bytes that came, with only the fields changed that must be. Everything else, unknown
 * fields and large integers too, keeps its exact bytes. Gives a function of the provider's own id of the model, because
 * several providers may be tried.
 */
export function providerBody(request: ChatRequest, changes: BodyChanges): (modelId: string) => Buffer {
  const { bytes, parsed } = request
  const edits: Record<string, FieldEdit> = {
    ...removed,
    ...streamEdits(parsed, changes.streamed),
    ...defaultEdits(parsed, changes.defaults),
    ...(changes.told ? toldEdits(changes.told) : messageEdits(request, changes.before)),
  }
  return (modelId) => spliceFields(bytes, { ...edits, model: JSON.stringify(modelId) })
}

/** Usage is always asked for: it is recorded whether the client wants to see it or not. */
function streamEdits(
  { stream, stream_options }: ChatCompletionRequest,
  streamed: boolean,
): Record<string, FieldEdit> {
  if (!streamed) return stream ? { stream: null, stream_options: null } : {}
  if (stream && stream_options?.include_usage) return {}
  return { stream: 'true', stream_options: JSON.stringify({ ...stream_options, include_usage: true }) }
}

/** Two names of one limit: providers refuse to be told both. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  max_tokens: ['max_completion_tokens'],
  max_completion_tokens: ['max_tokens'],
}

function defaultEdits(
  parsed: ChatCompletionRequest,
  defaults: Readonly<Record<string, unknown>>,
): Record<string, FieldEdit> {
  const given = (name: string) => [name, ...(otherNames[name] ?? [])].some((one) => parsed[one] != null)
  const absent = Object.entries(defaults).filter(([name, value]) => value != null && !given(name))
  return Object.fromEntries(absent.map(([name, value]) => [name, JSON.stringify(value)]))
}

function toldEdits({ messages, tools }: Pick<Prompt, 'messages' | 'tools'>): Record<string, FieldEdit> {
  return { messages: JSON.stringify(messages), ...(tools ? { tools: JSON.stringify(tools) } : {}) }
}

function messageEdits(
  { bytes, parsed, messages }: ChatRequest,
  before: readonly JsonObject[],
): Record<string, FieldEdit> {
  const translated = messages !== parsed.messages
  if (before.length === 0 && !translated) return {}
  const own = translated ? null : findFieldValue(bytes, 'messages')
  const first = before.map((message) => JSON.stringify(message))
  const ownText = own ? bytes.toString('utf8', own.start + 1, own.end - 1) : null
  const rest =
    ownText !== null
      ? messages.length > 0
        ? [ownText]
        : []
      : messages.map((message) => JSON.stringify(message))
  return { messages: `[${[...first, ...rest].join(',')}]` }
}
