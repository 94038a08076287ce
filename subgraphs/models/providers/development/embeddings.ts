import { AppError } from '../../../../platform/errors.ts'
import { parseObject } from '../parse-object.ts'
import type { JsonObject } from '../provider.ts'
import { pieces } from './pieces.ts'

const defaultDimensions = 256
const maxDimensions = 4_096
/** As OpenAI's. */
const maxInputs = 2_048
/** Of all vectors of an answer together. */
const maxNumbers = 1_000_000

/**
 * Answers an embeddings request with unit vectors of hashed words, word pairs and letter triples: texts that share
 * them are close. Token arrays count as texts of their numbers.
 * @throws AppError `invalid_parameter`
 */
export function embeddingsFor(bytes: Buffer | JsonObject): JsonObject {
  const body = Buffer.isBuffer(bytes) ? parseObject(bytes) : bytes
  const inputs = inputTexts(body?.input)
  const dimensions = dimensionsOf(body?.dimensions)
  if (inputs.length > maxInputs) throw invalid('input', `input may have at most ${maxInputs} texts.`)
  if (inputs.length * dimensions > maxNumbers)
    throw invalid('dimensions', `All vectors together may have at most ${maxNumbers} numbers.`)
  const tokens = inputs.reduce((sum, text) => sum + pieces(text).length, 0)
  return {
    object: 'list',
    data: inputs.map((text, index) => {
      const vector = embed(text, dimensions)
      return {
        object: 'embedding',
        index,
        embedding: body?.encoding_format === 'base64' ? base64(vector) : [...vector],
      }
    }),
    model: body?.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

function inputTexts(input: unknown): string[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input) || input.length === 0)
    throw invalid('input', 'input must be a text, a list of texts or token arrays.')
  if (input.every((item) => typeof item === 'number')) return [input.join(' ')]
  return input.map((item: unknown) => {
    if (typeof item === 'string') return item
    if (Array.isArray(item) && item.every((token) => typeof token === 'number')) return item.join(' ')
    throw invalid('input', 'input must be a text, a list of texts or token arrays.')
  })
}

function dimensionsOf(value: unknown): number {
  if (value === undefined || value === null) return defaultDimensions
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxDimensions)
    return value
  throw invalid('dimensions', `dimensions must be a whole number from 1 to ${maxDimensions}.`)
}

function embed(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  for (const [feature, weight] of features(text)) {
    const hash = fnv1a(feature)
    const sign = hash & 0x8000_0000 ? -1 : 1
    const at = (hash & 0x7fff_ffff) % dimensions
    vector[at] = (vector[at] ?? 0) + sign * weight
  }
  const length = Math.hypot(...vector)
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((value) => value / length)
}

function* features(text: string): Generator<[feature: string, weight: number]> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  for (const [index, word] of words.entries()) {
    yield [`w:${word}`, 1]
    if (index > 0) yield [`p:${words[index - 1]} ${word}`, 0.5]
    for (let at = 0; at + 3 <= word.length; at++) yield [`t:${word.slice(at, at + 3)}`, 0.25]
  }
}

/** The 32-bit FNV-1a hash of a text's UTF-16 units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** OpenAI's base64 is of little-endian floats, whatever the machine's order. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}

function invalid(param: string, message: string): AppError {
  return new AppError('invalid_parameter', message, { param })
}
