import { AppError } from '../errors.ts'
import type { Logger } from '../log.ts'

/** Runs one step of a store's work; `step` is for the log. @throws AppError `media_storage_failed`; the caller's own abort as it is */
export type StorageStep = <Result>(step: string, work: () => Promise<Result>) => Promise<Result>

/**
 * What goes wrong with a store is told to the log, and to callers without a word of where it is or who we are there.
 * What has an `AppError` already keeps it.
 */
export function storageSteps(log: Logger): StorageStep {
  return async (step, work) => {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof AppError || isAbort(cause)) throw cause
      log.warn({ step, ...reasonOf(cause) }, 'the media store failed')
      throw new AppError(
        'media_storage_failed',
        'The media store can’t be reached or refuses. Try again later.',
        {
          cause,
        },
      )
    }
  }
}

function isAbort(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError'
}

/** A store's error may carry what was signed and by whom: only these of its fields are told. */
function reasonOf(cause: unknown): Record<string, unknown> {
  if (!(cause instanceof Error)) return { reason: 'unknown' }
  const { name, message, code } = cause as NodeJS.ErrnoException
  return { reason: name, message, ...(code ? { code } : {}) }
}
