import { mediaIdIn } from '../../../platform/media-reference.ts'
import { type Block, storedBlock, textBlock } from './blocks.ts'
import { isRecord } from './is-record.ts'
import type { ItemDraft } from './item-draft.ts'
import { isItemRole } from './item-vocabulary.ts'

/** The server that tool calls of chat completions are booked under (contract 2.1). */
const serverLabel = 'Jan MCP Server'

/**
 * What is stored of the request's last message (or messages, where several tool results were sent). Instructions are
 * not (contract 2.1). Chat messages were checked where they came in; here nothing is refused, for a turn that was paid for is kept.
 */
export function requestDrafts(message: unknown): ItemDraft[] {
  const messages = Array.isArray(message) ? message : [message]
  return messages.filter(isRecord).flatMap((one) => {
    const role = storableRole(one.role)
    if (role === 'system' || role === 'developer') return []
    const callId = role === 'tool' ? storableText(one.tool_call_id) : null
    const name = typeof one.name === 'string' ? { name: one.name } : {}
    return [
      { type: 'message', role, status: 'completed', content: chatContent(one, role), callId, details: name },
    ]
  })
}

/** The content of the assistant's answer, whole or so far. Reasoning is kept only when it was asked for. */
export function answerContent(message: unknown, storeReasoning: boolean): Block[] {
  if (!isRecord(message)) return []
  const { reasoning_content: reasoning, tool_calls: calls, function_call: functionCall, audio } = message
  return [
    ...(storeReasoning && typeof reasoning === 'string' && reasoning !== ''
      ? [{ type: 'reasoning_text', text: reasoning }]
      : []),
    ...chatContent(message, 'assistant'),
    ...keptImages(message),
    ...(typeof message.refusal === 'string' ? [{ type: 'refusal', text: message.refusal }] : []),
    ...(isRecord(audio) ? [{ type: 'audio', audio }] : []),
    ...(isRecord(functionCall) ? [{ type: 'function_call', function_call: functionCall }] : []),
    ...(Array.isArray(calls) && calls.length > 0 ? [{ type: 'tool_calls', tool_calls: calls }] : []),
  ]
}

/** An open `mcp_call` for each tool call of the answer; tool-result reporting completes them (contract 3.6). */
export function toolCallDrafts(message: unknown): ItemDraft[] {
  const calls = isRecord(message) && Array.isArray(message.tool_calls) ? message.tool_calls : []
  return calls.filter(isRecord).map((call) => {
    const called = isRecord(call.function) ? call.function : {}
    return {
      type: 'mcp_call',
      role: null,
      status: 'in_progress',
      content: [],
      callId: storableText(call.id),
      details: {
        name: String(called.name ?? ''),
        arguments: argumentsText(called.arguments),
        server_label: serverLabel,
      },
    }
  })
}

function chatContent({ content }: Readonly<Record<string, unknown>>, role: string): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [textBlock(role, content)]
  return Array.isArray(content) ? content.filter(isRecord).map((part) => chatPart(part, role)) : []
}

/** Images beside the text of an answer, as far as they are media: others would be megabytes of text. */
function keptImages({ images }: Readonly<Record<string, unknown>>): Block[] {
  if (!Array.isArray(images)) return []
  return images.filter(isRecord).flatMap((part) => imageOfMedia(part) ?? [])
}

/** A part that is known as a media is stored as its id: the link to it expires. Null for others. */
function imageOfMedia({ id }: Readonly<Record<string, unknown>>): Block | null {
  return typeof id === 'string' && mediaIdIn(id) !== null
    ? { type: 'image', image: { url: id, file_id: id } }
    : null
}

function chatPart(part: Readonly<Record<string, unknown>>, role: string): Block {
  const type = typeof part.type === 'string' ? part.type : 'text'
  if (type === 'text' && typeof part.text === 'string') return { ...textBlock(role, part.text) }
  if (type === 'image_url')
    return (
      imageOfMedia(part) ?? {
        type: 'image',
        image: typeof part.image_url === 'string' ? { url: part.image_url } : part.image_url,
      }
    )
  return storedBlock({ ...part, type })
}

function storableRole(role: unknown): string {
  return typeof role === 'string' && isItemRole(role) ? role : 'unknown'
}

/** For text columns, which can't hold every character: a provider's odd id must not cost the turn. Null for what is no text. */
export function storableText(value: unknown): string | null {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '') : null
}

function argumentsText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? {})
}
