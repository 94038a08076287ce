import { ConfigError } from '../platform/config.ts'
import { EmbeddedPostgresError } from '../platform/embedded/embedded-postgres-error.ts'
import { InstanceLockedError } from '../platform/embedded/instance-lock.ts'

/** A start that can't go on, in a sentence that tells a person what to do. */
export class StartFailure extends Error {
  override name = 'StartFailure'
}

/** Prints what to do and ends the process. Only failures that nobody foresaw are shown with their stack. */
export function endWithOneSentence(error: unknown): never {
  process.stderr.write(`\n${describeFailure(error)}\n\n`)
  process.exit(1)
}

function describeFailure(error: unknown): string {
  if (error instanceof ConfigError)
    return `A setting is not right:\n${indented(error.message)}\n.env.example describes every variable.`
  if (
    error instanceof StartFailure ||
    error instanceof EmbeddedPostgresError ||
    error instanceof InstanceLockedError
  ) {
    return error.message
  }
  if (!(error instanceof Error)) return String(error)
  return connectionFailure(error) ?? `The start failed: ${error.stack ?? error.message}`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}

/** What pg says when the server of `DATABASE_URL` can't be used. */
function connectionFailure(error: Error): string | undefined {
  if (error.message === 'timeout expired')
    return 'The database takes connections and does not answer: see that PostgreSQL is running where DATABASE_URL leads, and is not overloaded.'
  const code = 'code' in error ? String(error.code) : ''
  if (['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAI_AGAIN'].includes(code)) {
    return `The database can't be reached (${code}): see that DATABASE_URL is right and that PostgreSQL is running there.`
  }
  if (code === '28P01' || code === '28000')
    return 'The database refused the user or password in DATABASE_URL.'
  if (code === '3D000')
    return 'The database named in DATABASE_URL does not exist: create it, or name another.'
  return undefined
}
