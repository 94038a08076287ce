import { AppError } from '../../../platform/errors.ts'
import { assertStorable, isLongerThan } from '../../../platform/text.ts'

/** Pairs of the client's own, and the platform's `title_locked`. */
export type Metadata = Readonly<Record<string, string>>

const maxPairs = 16
const maxValueLength = 512
const keyShape = /^[A-Za-z0-9][A-Za-z0-9_]{0,63}$/

/** The key by which the platform remembers that a person chose the title (contract 2.4). Clients can't set it. */
export const titleLock = 'title_locked'

/**
 * The client's pairs out of what it sent (contract 3.1). A `title_locked` that it sends back is left out: it is ours.
 * @throws AppError `invalid_parameter` naming `metadata` or the pair
 */
export function clientMetadata(value: unknown): Metadata {
  if (value == null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid('metadata must be an object of strings.', 'metadata')
  const pairs = Object.entries(value).filter(([key]) => key !== titleLock)
  if (pairs.length > maxPairs) throw invalid(`metadata has too many pairs: at most ${maxPairs}.`, 'metadata')
  return Object.fromEntries(
    pairs.map(([key, text]) => [checkedKey(key), checkedValue(text, `metadata.${key}`)]),
  )
}

/** The pairs that replace `before`: the client's new ones, and what is the platform's. */
export function replacedMetadata(before: Metadata, client: Metadata): Metadata {
  const lock = before[titleLock]
  return lock === undefined ? client : { ...client, [titleLock]: lock }
}

function checkedKey(key: string): string {
  if (keyShape.test(key)) return key
  throw invalid(
    'A metadata key is 1 to 64 of A-Z, a-z, 0-9 and _, and does not begin with _.',
    `metadata.${key.slice(0, 80)}`,
  )
}

function checkedValue(value: unknown, param: string): string {
  if (typeof value !== 'string') throw invalid(`${param} must be a string.`, param)
  if (isLongerThan(value, maxValueLength))
    throw invalid(`${param} is too long: at most ${maxValueLength} characters.`, param)
  assertStorable(value, param)
  return value
}

function invalid(message: string, param: string): AppError {
  return new AppError('invalid_parameter', message, { param })
}
