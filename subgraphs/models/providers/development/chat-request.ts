import { AppError } from '../../../../platform/errors.ts'
import { isObject, parseObject } from '../parse-object.ts'
import type { JsonObject } from '../provider.ts'

export interface ChatMessage {
  readonly role: string
  /** The text of all its parts. */
  readonly text: string
  readonly imageUrls: readonly string[]
  readonly toolCallId: string | null
  readonly toolCalls: readonly { id: string; name: string }[]
}

export interface ToolDefinition {
  readonly name: string
  readonly parameters: unknown
}

/** What of a chat completion request the development model obeys. */
export interface ChatRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly tools: readonly ToolDefinition[]
  /** A mode, or the name of the function to call. */
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly parallelToolCalls: boolean
  /** Null for text; `schema: null` for any JSON object. */
  readonly jsonFormat: { readonly schema: unknown } | null
  readonly choices: number
  readonly maxTokens: number
  readonly stop: readonly string[]
  readonly reasoningEffort: string | null
  readonly includeUsage: boolean
}

/** @throws AppError `invalid_parameter` where the body is no chat completion request */
export function readChatRequest(bytes: Buffer | JsonObject): ChatRequest {
  const body = Buffer.isBuffer(bytes) ? parseObject(bytes) : bytes
  if (!body || !Array.isArray(body.messages) || body.messages.length === 0) {
    throw new AppError('invalid_parameter', 'messages must be a list with at least one message.', {
      param: 'messages',
    })
  }
  const limits = [body.max_completion_tokens, body.max_tokens].filter((limit) => typeof limit === 'number')
  return {
    model: String(body.model),
    messages: body.messages.filter(isObject).map(readMessage),
    tools: list(body.tools)
      .map(readTool)
      .filter((tool) => tool !== null),
    toolChoice: readToolChoice(body.tool_choice),
    parallelToolCalls: body.parallel_tool_calls !== false,
    jsonFormat: readFormat(body.response_format),
    choices: typeof body.n === 'number' ? body.n : 1,
    maxTokens: limits[0] ?? Number.POSITIVE_INFINITY,
    stop: (typeof body.stop === 'string' ? [body.stop] : list(body.stop)).filter(
      (word) => typeof word === 'string' && word !== '',
    ) as string[],
    reasoningEffort:
      typeof body.reasoning_effort === 'string' && body.reasoning_effort !== 'none'
        ? body.reasoning_effort
        : null,
    includeUsage: isObject(body.stream_options) && body.stream_options.include_usage === true,
  }
}

function readMessage(message: JsonObject): ChatMessage {
  const parts =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : list(message.content)
  const objects = parts.filter(isObject)
  return {
    role: String(message.role),
    text: objects
      .map(partText)
      .filter((text) => text !== '')
      .join('\n'),
    imageUrls: objects.map(imageUrl).filter((url) => url !== null),
    toolCallId: typeof message.tool_call_id === 'string' ? message.tool_call_id : null,
    toolCalls: list(message.tool_calls).filter(isObject).map(readToolCall),
  }
}

function partText(part: JsonObject): string {
  const text = part.text ?? part.tool_result
  return typeof text === 'string' ? text : ''
}

function imageUrl({ image_url: image }: JsonObject): string | null {
  const url = isObject(image) ? image.url : image
  return typeof url === 'string' ? url : null
}

function readToolCall(call: JsonObject): { id: string; name: string } {
  return { id: String(call.id), name: isObject(call.function) ? String(call.function.name) : '' }
}

function readTool(tool: unknown): ToolDefinition | null {
  if (!isObject(tool) || !isObject(tool.function) || typeof tool.function.name !== 'string') return null
  return { name: tool.function.name, parameters: tool.function.parameters ?? {} }
}

function readToolChoice(choice: unknown): ChatRequest['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice
  const named = isObject(choice) && isObject(choice.function) ? choice.function.name : undefined
  return typeof named === 'string' ? { name: named } : 'auto'
}

function readFormat(format: unknown): ChatRequest['jsonFormat'] {
  if (!isObject(format)) return null
  if (format.type === 'json_object') return { schema: null }
  return format.type === 'json_schema' && isObject(format.json_schema)
    ? { schema: format.json_schema.schema ?? {} }
    : null
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
