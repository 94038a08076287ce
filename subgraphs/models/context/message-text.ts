import type { JsonObject } from '../providers/index.ts'

/** What the chat template puts around a message, in tokens. */
const tokensPerMessage = 4
/** An image at low detail, by OpenAI's figures. */
const tokensPerSmallImage = 85
/** An image at high detail; anything else that is no text counts the same, for its size says nothing. */
const tokensPerAttachment = 765

/** A piece of a message's content that may have a text. */
export type Part = JsonObject & { readonly text?: unknown }

/** The parts of a content that has any. */
export function partsOf({ content }: JsonObject): readonly Part[] {
  return Array.isArray(content) ? content.filter(isObject) : []
}

/** The calls of an assistant's message. */
export function callsOf({ tool_calls: calls }: JsonObject): readonly JsonObject[] {
  return Array.isArray(calls) ? calls.filter(isObject) : []
}

/** Everything in a message that a model reads as text. */
export function textsOf(message: JsonObject): string[] {
  const only = onlyText(message)
  if (only !== null) return [only]
  const { content, name, refusal, reasoning_content: reasoning, tool_call_id: answered } = message
  const said = typeof content === 'string' ? [content] : partsOf(message).map(({ text }) => text)
  const called = [...callsOf(message), message.function_call].flatMap(callTexts)
  return [...said, name, refusal, reasoning, answered, ...called].filter((text) => typeof text === 'string')
}

/** The text of a message that has nothing else, as most have; else null. */
function onlyText(message: JsonObject): string | null {
  const { content, name, refusal, reasoning_content, tool_call_id, tool_calls, function_call } = message
  const other = name ?? refusal ?? reasoning_content ?? tool_call_id ?? tool_calls ?? function_call
  return typeof content === 'string' && other == null ? content : null
}

/** What a message costs beside its texts, in tokens. */
export function fixedTokensOf(message: JsonObject): number {
  return partsOf(message).reduce((sum, part) => sum + attachmentTokens(part), tokensPerMessage)
}

/** Whether somebody has attached anything that is no text. */
export function hasAttachments(message: JsonObject): boolean {
  return partsOf(message).some((part) => attachmentTokens(part) > 0)
}

/** The bytes of all texts of messages. */
export function textBytes(messages: readonly JsonObject[]): number {
  let bytes = 0
  for (const message of messages) for (const text of textsOf(message)) bytes += Buffer.byteLength(text)
  return bytes
}

/**
 * No tokenizer finds more tokens in messages than this: its tokens are made of bytes, one at least. What has no text counts
 * at its flat rate.
 */
export function mostTokensOf(messages: readonly JsonObject[]): number {
  return messages.reduce((sum, message) => sum + fixedTokensOf(message), textBytes(messages))
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function callTexts(call: unknown): unknown[] {
  if (!isObject(call)) return []
  const { id, function: called, custom, name, arguments: given } = call
  const of = isObject(called) ? called : isObject(custom) ? custom : {}
  return [id, name, given, of.name, of.arguments, of.input]
}

function attachmentTokens({ text, image_url: image }: Part): number {
  if (typeof text === 'string') return 0
  return isObject(image) && image.detail === 'low' ? tokensPerSmallImage : tokensPerAttachment
}
