import { AppError } from '../../../platform/errors.ts'
import { isLongerThan } from '../../../platform/text.ts'
import { type Block, blockText, storedBlock, textBlock } from './blocks.ts'
import { isRecord } from './is-record.ts'

/** Where content comes from. */
export interface ContentOrigin {
  /** The wire name of the field, for errors. */
  readonly param: string
  readonly role: string | null
  /** The type of the block that a plain text becomes; null: as the role has it. */
  readonly contentType: string | null
}

const maxBlocks = 100
const maxTypeLength = 64
const megabyte = 1024 * 1024

/** Contract 3.1, in characters. */
const textLimits: Readonly<Record<string, number>> = { thinking: 50_000 }
const maxTextLength = 100_000
const maxCodeLength = 50_000

/** Contract 3.1, in entries. */
const listLimits: Readonly<Record<string, number>> = { tool_calls: 16, annotations: 100 }

/** Contract 3.1, in decoded bytes, for blocks that carry their data in base64. */
const dataLimits: Readonly<Record<string, number>> = {
  audio: 25 * megabyte,
  input_audio: 25 * megabyte,
  image: 20 * megabyte,
  image_url: 20 * megabyte,
  input_image: 20 * megabyte,
  file: 512 * megabyte,
  input_file: 512 * megabyte,
}

/**
 * Content from outside: a text, or blocks in either spelling of contract 3.3.
 * @throws AppError `max_items_exceeded`, `input_too_large`, `missing_parameter`, `invalid_parameter`
 */
export function givenContent(content: unknown, { param, role, contentType }: ContentOrigin): Block[] {
  const blocks = typeof content === 'string' ? [textOf(content, role, contentType)] : listOf(content, param)
  if (blocks.length > maxBlocks) {
    throw new AppError('max_items_exceeded', `${param} has too many blocks: at most ${maxBlocks}.`, { param })
  }
  return blocks.map((block, index) =>
    givenBlock(block, typeof content === 'string' ? param : `${param}[${index}]`),
  )
}

function textOf(text: string, role: string | null, contentType: string | null): Block {
  return contentType === null ? textBlock(role, text) : { type: contentType, text }
}

function listOf(content: unknown, param: string): unknown[] {
  if (Array.isArray(content)) return content
  if (typeof content === 'object' && content !== null) return [content]
  throw invalid('must be a text or a list of blocks', param)
}

function givenBlock(value: unknown, param: string): Block {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('must be a block', param)
  const { type } = value as { type?: unknown }
  if (type === undefined) {
    throw new AppError('missing_parameter', `A block needs its type (${param}.type).`, {
      param: `${param}.type`,
    })
  }
  if (typeof type !== 'string' || type === '' || type.length > maxTypeLength)
    throw invalid('must be a type of block', `${param}.type`)
  const block = storedBlock({ ...value, type })
  assertWithinLimits(block, param)
  return block
}

function assertWithinLimits(block: Block, param: string): void {
  const text = blockText(block)
  if (text !== null) assertLength(text, textLimits[block.type] ?? maxTextLength, param)
  const code = isRecord(block.code) ? block.code.code : block.code
  if (typeof code === 'string') assertLength(code, maxCodeLength, `${param}.code`)
  assertListLimits(block, param)
  const dataLimit = dataLimits[block.type]
  if (dataLimit !== undefined && Math.max(decodedBytes(block), namedBytes(block)) > dataLimit) {
    throw tooLarge(`is too large: at most ${dataLimit / megabyte} MB`, param)
  }
}

/**
 * The lists that contract 3.1 bounds, of a block or an item.
 * @param param the wire's name of what has them; empty where that is the body itself
 * @throws AppError `input_too_large`
 */
export function assertListLimits(fields: Readonly<Record<string, unknown>>, param: string): void {
  for (const [field, limit] of Object.entries(listLimits)) {
    const list = fields[field]
    if (Array.isArray(list) && list.length > limit)
      throw tooLarge(`has too many ${field}: at most ${limit}`, param === '' ? field : `${param}.${field}`)
  }
}

/** The size that a block names of a file which lies elsewhere: `file.size`. */
function namedBytes({ file, size }: Block): number {
  const named = isRecord(file) ? file.size : size
  return typeof named === 'number' ? named : 0
}

/** The bytes behind the longest text of a block, two levels deep: `image_url.url`, `input_audio.data`, `file.file_data`. */
function decodedBytes(block: Block): number {
  const values = Object.values(block).flatMap((value) =>
    typeof value === 'object' && value !== null ? Object.values(value) : [value],
  )
  const longest = values.reduce<number>(
    (most, value) => (typeof value === 'string' ? Math.max(most, value.length) : most),
    0,
  )
  return Math.floor((longest * 3) / 4)
}

function assertLength(text: string, limit: number, param: string): void {
  if (isLongerThan(text, limit)) throw tooLarge(`is too long: at most ${limit} characters`, param)
}

function tooLarge(message: string, param: string): AppError {
  return new AppError('input_too_large', `${param} ${message}.`, { param })
}

function invalid(message: string, param: string): AppError {
  return new AppError('invalid_parameter', `${param} ${message}.`, { param })
}
