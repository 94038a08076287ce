import { type DestinationStream, type LoggerOptions, type Logger as Pino, pino, stdTimeFunctions } from 'pino'

/** Where lines go, each under the bindings of the loggers that it comes from. */
export interface Logger extends Pick<Pino, 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'> {
  child(bindings: object): Logger
}

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

/** A child of `parent` that is made when its first line is written: most requests write none, and making one takes 5 µs. */
export function lazyChild(parent: Logger, bindings: object): Logger {
  let made: Logger | undefined
  const own = (): Logger => {
    made ??= parent.child(bindings)
    return made
  }
  return {
    get debug() {
      return own().debug.bind(own())
    },
    get info() {
      return own().info.bind(own())
    },
    get warn() {
      return own().warn.bind(own())
    },
    get error() {
      return own().error.bind(own())
    },
    isLevelEnabled: (level) => parent.isLevelEnabled(level),
    child: (further) => lazyChild(parent, { ...bindings, ...further }),
  }
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
