import { type Block, blockText } from './blocks.ts'
import { isRecord } from './is-record.ts'
import type { ItemDetails } from './item-draft.ts'
import { type ChatMessage, pairedMessages, type ToolCall } from './tool-pairing.ts'

/** An item as far as a model is told of it. */
export interface HistoryItem {
  readonly type: string
  readonly role: string | null
  readonly content: readonly Block[]
  readonly callId: string | null
  readonly details: ItemDetails
}

const callTypes = new Set(['function_call', 'custom_tool_call', 'mcp_call'])
const imageTypes = new Set(['image_generation_call', 'image_edit_call'])
const outputTypes = new Set(['function_call_output', 'custom_tool_call_output'])

/**
 * OpenAI chat messages of a branch's items, oldest first. Tool calls and their results end up as providers demand them.
 * @param openCalls the calls that the request itself answers; null leaves those of the last answer open
 */
export function chatMessages(
  items: readonly HistoryItem[],
  openCalls: readonly string[] | null,
): ChatMessage[] {
  const messages: ChatMessage[] = []
  const outputs = new Map<string, string>()
  const announced = new Set<string>()

  for (const item of items) {
    if (item.type === 'message') {
      const message = chatMessage(item)
      for (const call of message?.tool_calls ?? []) announced.add(call.id)
      if (message) messages.push(message)
      continue
    }
    const { callId, details } = item
    if (imageTypes.has(item.type)) messages.push({ role: 'assistant', content: imageNote(details) })
    if (callId === null) continue
    if (outputTypes.has(item.type)) outputs.set(callId, asText(details.output))
    if (!callTypes.has(item.type)) continue
    if (details.output !== undefined || details.error !== undefined)
      outputs.set(callId, asText(details.output ?? details.error))
    if (announced.has(callId)) continue
    announced.add(callId)
    addCall(messages, {
      id: callId,
      type: 'function',
      function: { name: details.name ?? '', arguments: details.arguments ?? '{}' },
    })
  }
  return pairedMessages(messages, outputs, openCalls)
}

function chatMessage({ role, content, callId, details }: HistoryItem): ChatMessage | null {
  if (role === 'assistant') return assistantMessage(content)
  const text = chatContent(content)
  if (role === 'tool') return callId === null ? null : { role, tool_call_id: callId, content: text ?? '' }
  if (role !== 'user' && role !== 'system' && role !== 'developer') return null
  if (text === null) return null
  return { role, content: text, ...(details.name === undefined ? {} : { name: details.name }) }
}

/** Its images are told of in words: providers take none from an assistant. */
function assistantMessage(content: readonly Block[]): ChatMessage | null {
  const text = chatContent(content.map((block) => (imageBlocks.has(block.type) ? imageWord : block)))
  const calls = content.flatMap((block) =>
    block.type === 'tool_calls' && Array.isArray(block.tool_calls) ? block.tool_calls : [],
  )
  const toolCalls = calls.filter((call): call is ToolCall => isRecord(call) && typeof call.id === 'string')
  const refusal = content.find(({ type }) => type === 'refusal')
  const functionCall = content.find(({ type }) => type === 'function_call')?.function_call
  if (text === null && !refusal && toolCalls.length === 0 && functionCall === undefined) return null
  return {
    role: 'assistant',
    content: text,
    ...(refusal ? { refusal: blockText(refusal) } : {}),
    ...(functionCall === undefined ? {} : { function_call: functionCall }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  }
}

const imageBlocks = new Set(['image', 'input_image'])
const imageWord: Block = { type: 'text', text: '[An image was made.]' }

/** What a model is not told again: its reasoning, its calls (they have their own place), refusals likewise. */
const apart = new Set([
  'reasoning_text',
  'summary_text',
  'thinking',
  'tool_calls',
  'function_call',
  'refusal',
  'audio',
  'finish_reason',
])

/** One text where there is only text; else OpenAI's parts. Null when nothing is left. */
function chatContent(content: readonly Block[]): ChatMessage['content'] {
  const told = content.filter(({ type }) => !apart.has(type))
  if (told.length === 0) return null
  const [only] = told
  if (told.length === 1 && only) return blockText(only) ?? [chatPart(only)]
  return told.map(chatPart)
}

function chatPart(block: Block): unknown {
  const text = blockText(block)
  if (text !== null) return { type: 'text', text }
  if (block.type === 'image') return { type: 'image_url', image_url: block.image }
  if (block.type === 'input_image') return { type: 'image_url', image_url: inputImage(block) }
  return block
}

function inputImage({ image_url: url, detail }: Block): unknown {
  return isRecord(url) ? url : { url, ...(detail === undefined ? {} : { detail }) }
}

/** A model can’t have written an image: it is told that there is one. Without a word from it two questions would follow each other. */
function imageNote({ revised_prompt: revised, prompt }: ItemDetails): string {
  const shown = [revised, prompt].find((text) => typeof text === 'string' && text !== '')
  return shown === undefined ? '[An image was made.]' : `[An image was made: ${shown}]`
}

function addCall(messages: ChatMessage[], call: ToolCall): void {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') {
    messages.push({ role: 'assistant', content: null, tool_calls: [call] })
    return
  }
  messages[messages.length - 1] = { ...last, tool_calls: [...(last.tool_calls ?? []), call] }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}
