const needle = Buffer.from('content":')
const argumentsNeedle = Buffer.from('"arguments":')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/** About how many bytes of text a token is. */
const bytesPerToken = 4

/** What an image counts for in a prompt: OpenAI's figure at low detail. */
const tokensPerImage = 85

/**
 * A running estimate of the tokens that a stream has produced, from a scan of each frame that parses nothing: text,
 * reasoning and tool arguments count a token per four bytes, and a frame with any of them at least one.
 */
export class TokenEstimate {
  #bytes = 0
  #frames = 0

  /** Adds one frame; says whether it carried produced text. */
  add(frame: Buffer): boolean {
    const bytes = producedBytes(frame)
    if (bytes === 0) return false
    this.#bytes += bytes
    this.#frames++
    return true
  }

  get tokens(): number {
    return Math.max(this.#frames, Math.ceil(this.#bytes / bytesPerToken))
  }
}

/** An estimate of a text's tokens. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken)
}

/** An estimate of the tokens of messages, asked or answered: text, reasoning, tool calls, and images at a flat rate. */
export function estimateMessageTokens(messages: unknown): number {
  if (!Array.isArray(messages)) return 0
  return messages.reduce<number>((sum, message: unknown) => sum + messageTokens(message), 0)
}

function messageTokens(message: unknown): number {
  if (typeof message !== 'object' || message === null) return 0
  const { content, reasoning_content, tool_calls: calls } = message as Readonly<Record<string, unknown>>
  const parts: unknown[] = [...(Array.isArray(content) ? content : [content]), reasoning_content]
  const called = Array.isArray(calls) ? estimateTokens(JSON.stringify(calls)) : 0
  return parts.reduce<number>((sum, part) => sum + partTokens(part), called)
}

function partTokens(part: unknown): number {
  if (typeof part === 'string') return estimateTokens(part)
  if (typeof part !== 'object' || part === null) return 0
  const { type, text } = part as { type?: unknown; text?: unknown }
  if (typeof text === 'string') return estimateTokens(text)
  return type === 'image_url' || type === 'image' ? tokensPerImage : 0
}

/** The bytes of the first content (or reasoning content) of a frame, else of its first tool arguments. */
function producedBytes(frame: Buffer): number {
  return valueBytes(frame, needle, 0) || valueBytes(frame, argumentsNeedle, 0)
}

function valueBytes(frame: Buffer, key: Buffer, from: number): number {
  const at = frame.indexOf(key, from)
  if (at === -1) return 0
  const open = frame[at + key.length] === SPACE ? at + key.length + 1 : at + key.length
  const length = frame[open] === QUOTE ? stringBytes(frame, open) : 0
  // `"content":"","reasoning_content":"…"` and the like: an empty one does not hide the next.
  return length > 0 ? length : valueBytes(frame, key, open)
}

function stringBytes(frame: Buffer, open: number): number {
  let quote = frame.indexOf(QUOTE, open + 1)
  while (quote !== -1 && escapes(frame, quote)) quote = frame.indexOf(QUOTE, quote + 1)
  return quote === -1 ? 0 : quote - open - 1
}

function escapes(frame: Buffer, at: number): boolean {
  let backslashes = 0
  while (frame[at - 1 - backslashes] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}
