/** A piece of a conversation to learn from. */
export interface Transcript {
  readonly conversationId: string
  readonly projectId: string | null
  readonly messages: readonly TranscriptMessage[]
}

/** What somebody said. */
export interface TranscriptMessage {
  readonly role: string
  readonly content: string
}

const maxMessageLength = 8_000
const maxLength = 24_000

/**
 * The texts of OpenAI's messages, the newest as far as there is room. What the application says (`system`, `developer`) is left
 * out, and so are pictures and calls of tools.
 */
export function transcriptMessages(messages: readonly object[]): TranscriptMessage[] {
  const kept: TranscriptMessage[] = []
  let room = maxLength
  for (const message of messages.toReversed()) {
    const { role, content } = message as { readonly role?: unknown; readonly content?: unknown }
    if (typeof role !== 'string' || role === 'system' || role === 'developer') continue
    const text = textOf(content).slice(0, Math.min(maxMessageLength, room)).toWellFormed()
    if (text.trim() === '') continue
    room -= text.length
    kept.unshift({ role, content: text })
    if (room <= 0) break
  }
  return kept
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  const texts = content.map((part: { readonly type?: unknown; readonly text?: unknown } | null) =>
    part?.type === 'text' && typeof part.text === 'string' ? part.text : '',
  )
  return texts.filter(Boolean).join('\n')
}

/** Whether the user has said anything to learn from. */
export function hasWordsOfUser(messages: readonly TranscriptMessage[]): boolean {
  return messages.some(({ role, content }) => role === 'user' && content.trim().length >= 3)
}
