import { AppError } from './errors.ts'

/** What a text from outside must be like. */
export interface TextRule {
  /** The wire name of the field, for the error. */
  readonly param: string
  /** The most characters (of Unicode, not the halves that JavaScript counts) that are allowed. */
  readonly max: number
  /** Refuses control characters, line breaks among them. */
  readonly singleLine?: boolean
}

/** Unicode's control characters, and its two line breaks that are not among them. */
const controlCharacter = /[\p{Cc}\u2028\u2029]/u

/** @throws AppError `invalid_parameter` naming the field when the text is blank, too long, or can't be stored. */
export function requiredText(value: string, rule: TextRule): string {
  if (value.trim() === '')
    throw new AppError('invalid_parameter', `${rule.param} must not be empty.`, { param: rule.param })
  return checked(value, rule)
}

/** Null for absent, null and empty texts. @throws AppError `invalid_parameter` naming the field */
export function optionalText(value: string | null | undefined, rule: TextRule): string | null {
  return value == null || value === '' ? null : checked(value, rule)
}

function checked(value: string, { param, max, singleLine = false }: TextRule): string {
  if (isLongerThan(value, max)) {
    throw new AppError('invalid_parameter', `${param} is too long: at most ${max} characters.`, { param })
  }
  assertStorable(value, param)
  if (singleLine && controlCharacter.test(value)) {
    throw new AppError('invalid_parameter', `${param} must not contain control characters.`, { param })
  }
  return value
}

/** Whether a text has more characters than that. One outside the basic plane is one, as PostgreSQL and JSON Schema count. */
export function isLongerThan(text: string, characters: number): boolean {
  if (text.length <= characters || text.length > 2 * characters) return text.length > characters
  let count = 0
  for (const _ of text) count += 1
  return count > characters
}

/** Whether PostgreSQL's text can hold it: neither U+0000 nor half a surrogate pair. */
export function isStorable(value: string): boolean {
  return !value.includes('\u0000') && value.isWellFormed()
}

/** @throws AppError `invalid_parameter` for what is not `isStorable` */
export function assertStorable(value: string, param: string): void {
  if (!isStorable(value)) {
    throw new AppError(
      'invalid_parameter',
      `${param} contains a character that can't be stored (U+0000 or half a surrogate pair).`,
      { param },
    )
  }
}
