import type { ChatMessage } from '../../../platform/openai/chat-message.ts'

type Part = Record<string, unknown>

/**
 * Translates what some clients write into OpenAI's parts (contract 2.1): `image {data, mimeType}` becomes an
 * `image_url`, `tool_result` and `input_text` become text, empty parts are dropped, and a text that is a JSON array of
 * parts is read as one. Gives the same list where there is nothing to translate.
 */
export function translateDialects(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const translated = messages.map(translateMessage)
  return translated.some((message, index) => message !== messages[index]) ? translated : messages
}

function translateMessage(message: ChatMessage): ChatMessage {
  const { content } = message
  const parts = typeof content === 'string' ? partsInText(content) : content
  if (!Array.isArray(parts)) return message
  const translated = parts.map(translatePart).filter((part) => part !== null)
  const same =
    parts === content &&
    translated.length === parts.length &&
    translated.every((part, at) => part === parts[at])
  if (same) return message
  // Providers refuse a list without parts; a message that says nothing is an empty text.
  return { ...message, content: translated.length > 0 ? translated : '' } as ChatMessage
}

/** Null for texts, which nearly all are. */
function partsInText(text: string): Part[] | null {
  if (!text.startsWith('[{') || !text.endsWith(']')) return null
  try {
    const parts: unknown = JSON.parse(text)
    const readable = Array.isArray(parts) && parts.every((part) => typeof part?.type === 'string')
    return readable ? (parts as Part[]) : null
  } catch {
    // It only looks like JSON: a text.
    return null
  }
}

function translatePart(part: Part): Part | null {
  if (part.type === 'image' && typeof part.data === 'string') {
    const kind = typeof part.mimeType === 'string' ? part.mimeType : 'image/png'
    const url = /^(data|https?):/.test(part.data) ? part.data : `data:${kind};base64,${part.data}`
    return { type: 'image_url', image_url: { url } }
  }
  if (part.type === 'input_text') return textPart(part.text ?? part.input_text)
  if (part.type === 'tool_result') return textPart(part.tool_result ?? part.text)
  if (part.type === 'text' && part.text === '') return null
  return part
}

function textPart(value: unknown): Part | null {
  const text = typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value)
  return text === '' ? null : { type: 'text', text }
}
