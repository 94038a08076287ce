import type { z } from 'zod'
import { AppError } from './errors.ts'

/**
 * Holds a value against a schema.
 * @throws AppError `missing_parameter` or `invalid_parameter` naming the wire field, as `messages[0].role`
 */
export function validated<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  const issue = mostSpecific(result.error.issues[0])
  if (!issue) throw new AppError('invalid_parameter', 'The request is not valid.')
  const param = wirePath(issue.path)
  if (absenceCodes.has(issue.code) && issue.input === undefined && param !== null) {
    throw new AppError('missing_parameter', `Parameter '${param}' is required.`, { param })
  }
  const subject = param === null ? 'The body' : `Parameter '${param}'`
  throw new AppError('invalid_parameter', `${subject} is not valid: ${lowerFirst(issue.message)}.`, { param })
}

/** What a missing field fails with: it has not the type, or none of the types, that it should have. */
const absenceCodes: ReadonlySet<unknown> = new Set(['invalid_type', 'invalid_union'])

/** Of a union's failures, the one that got furthest: it is about the variant that the caller meant. */
function mostSpecific(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue
  const inner = issue.errors
    .map((issues) => mostSpecific(issues[0]))
    .filter((candidate) => candidate !== undefined)
    .sort((one, other) => other.path.length - one.path.length)[0]
  if (!inner || inner.path.length === 0) return issue
  return { ...inner, path: [...issue.path, ...inner.path] }
}

function wirePath(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  )
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
}
