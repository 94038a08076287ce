import type { ErrorRequestHandler } from 'express'
import { failureOf } from '../errors.ts'
import type { RateLimits } from './rate-limits.ts'

/** Counts what the caller did wrong before anybody was counted: whoever goes on with it is told to wait instead. */
export function countedFailures(limits: RateLimits): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const { status } = failureOf(thrown)
    if (!limits.active || status < 400 || status >= 500 || status === 429) return next(thrown)
    limits.countFailure(request, response).then(() => next(thrown), next)
  }
}
