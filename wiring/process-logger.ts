import type { PlatformConfig } from '../platform/config.ts'
import { createLogger, type Logger } from '../platform/log.ts'

/** The logger of a process: readable at a terminal, JSON everywhere else, unless `LOG_FORMAT` says otherwise. */
export function processLogger({ LOG_LEVEL, LOG_FORMAT }: PlatformConfig): Logger {
  return createLogger({ level: LOG_LEVEL, format: LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json') })
}
