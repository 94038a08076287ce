import { isRecord } from './is-record.ts'

/** One block of an item's content, as it is stored: its type, and for text-like types the text under `text` alone. */
export type Block = { readonly type: string } & Readonly<Record<string, unknown>>

/** Types whose body is one text. The wire knows it under a key named as the type, and under `text` (contract 3.3, R24). */
const textTypes = new Set([
  'text',
  'input_text',
  'output_text',
  'reasoning_text',
  'summary_text',
  'thinking',
  'tool_result',
  'mcp_call',
  'refusal',
])

/** Texts that are about the answer rather than part of it. */
const silentTypes = new Set(['reasoning_text', 'summary_text', 'thinking'])

/** The stored form of a block in either spelling: the text under `text`, the key named as the type gone. */
export function storedBlock(block: Block): Block {
  if (!textTypes.has(block.type)) return block
  const named = block[block.type]
  const text = typeof block.text === 'string' ? block.text : textUnder(named)
  if (text === null) return block
  const { [block.type]: _, ...rest } = block
  if (block.type !== 'output_text') return { ...rest, type: block.type, text }
  return { ...rest, type: block.type, text, annotations: block.annotations ?? annotationsUnder(named) }
}

/** What the world sees of a stored block: both spellings of its text. */
export function presentedBlock(block: Block): Block {
  const { type, text } = block
  if (type === 'input_image' || type === 'image') return { ...block, ...imageFields(block) }
  if (type === 'file') return { ...block, ...fileFields(block) }
  if (typeof text !== 'string' || !textTypes.has(type) || type === 'text') return block
  if (type !== 'output_text') return { ...block, [type]: text }
  const annotations = block.annotations ?? []
  return { ...block, annotations, logprobs: block.logprobs ?? [], output_text: { text, annotations } }
}

/** An image as OpenAI's clients read it, and as ours do (contract 3.3), whichever of them wrote it. */
function imageFields({ image, image_url, file_id, detail }: Block): Readonly<Record<string, unknown>> {
  const own = isRecord(image) ? image : isRecord(image_url) ? image_url : {}
  const fields = {
    url: (typeof image_url === 'string' ? image_url : own.url) ?? null,
    file_id: file_id ?? own.file_id ?? null,
    detail: detail ?? own.detail ?? 'auto',
  }
  const known = Object.entries(fields).filter(([, value]) => value !== null)
  return {
    image_url: fields.url,
    file_id: fields.file_id,
    detail: fields.detail,
    image: isRecord(image) ? image : Object.fromEntries(known),
  }
}

/** A file's name and id where OpenAI's clients look for them. */
function fileFields({ file, file_id, filename }: Block): Readonly<Record<string, unknown>> {
  if (!isRecord(file)) return {}
  return {
    file_id: file_id ?? file.file_id ?? null,
    filename: filename ?? file.filename ?? file.name ?? null,
  }
}

/** The text of a stored block; null when it is of another kind. */
export function blockText({ type, text }: Block): string | null {
  return textTypes.has(type) && typeof text === 'string' ? text : null
}

/** The text of an item in one piece, without reasoning. */
export function plainText(blocks: readonly Block[]): string {
  return blocks
    .filter(({ type }) => !silentTypes.has(type))
    .map(blockText)
    .filter((text) => text !== null && text !== '')
    .join('\n')
}

/** The block that a text of this role becomes. */
export function textBlock(role: string | null, text: string): Block {
  if (role === 'assistant') return { type: 'output_text', text, annotations: [] }
  return { type: role === 'tool' ? 'tool_result' : 'input_text', text }
}

function textUnder(named: unknown): string | null {
  if (typeof named === 'string') return named
  const inner = typeof named === 'object' && named !== null ? (named as { text?: unknown }).text : undefined
  return typeof inner === 'string' ? inner : null
}

function annotationsUnder(named: unknown): unknown {
  const annotations =
    typeof named === 'object' && named !== null ? (named as { annotations?: unknown }).annotations : undefined
  return Array.isArray(annotations) ? annotations : []
}
