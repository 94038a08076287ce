import { AppError } from '../errors.ts'
import { late, unreachable } from './fetch-failures.ts'
import type { GuardedRequest } from './guarded-fetch.ts'

/** The time that one fetch has, and who else may end it. */
export interface Deadline {
  /** Aborts with the AppError of a late answer, or with the reason of the caller's own signal. */
  readonly signal: AbortSignal
  /** What the caller is told when something failed: why it was ended, if it was, else an AppError. */
  failure(error: unknown): unknown
  /** Stops the clock. May be called again. */
  end(): void
}

export function startDeadline({ timeoutMs, signal, param }: GuardedRequest): Deadline {
  const ending = new AbortController()
  const leave = () => ending.abort(signal.reason)
  const timer = setTimeout(() => ending.abort(late(param)), timeoutMs).unref()
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  return {
    signal: ending.signal,
    failure(error) {
      if (ending.signal.aborted) return ending.signal.reason
      return error instanceof AppError ? error : unreachable(param, error)
    },
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
    },
  }
}

/** Waits for a promise that can't be stopped no longer than for the signal. @throws the signal's reason */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
