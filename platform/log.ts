import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino'

export type { Logger }

/** Keys whose values never reach a log line, wherever they stand up to three levels deep. */
const secretKeys = [
  'authorization',
  'apikey',
  'apiKey',
  'api_key',
  'x-api-key',
  'cookie',
  'password',
  'token',
  'access_token',
  'refresh_token',
  'secret',
  'key',
  'content',
  'messages',
  'input',
  'variables',
]
const redactedPaths = secretKeys.flatMap((key) => {
  const quoted = `["${key}"]`
  return [quoted, `*${quoted}`, `*.*${quoted}`]
})

/** How logs are written. */
export interface LogOptions {
  /** pino's level names; `silent` switches logs off. */
  readonly level: string
  /** `json` for machines, `pretty` for people at a terminal. */
  readonly format: 'json' | 'pretty'
}

/**
 * The process's logger: one JSON object a line, or coloured lines on a terminal; credentials and message text are removed.
 * @param sink where lines go; standard output unless a test listens
 */
export function createLogger({ level, format }: LogOptions, sink?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: describeError },
    redact: { paths: redactedPaths, censor: '[removed]' },
    ...(format === 'pretty'
      ? {
          transport: {
            target: 'pino-pretty',
            options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname' },
          },
        }
      : {}),
  }
  return sink ? pino(options, sink) : pino(options)
}

/** What a log line tells of a failure: what drivers hang onto their errors (whole connections, queries, values) stays out. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return {
    type: error.name,
    message: error.message,
    ...code,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}
