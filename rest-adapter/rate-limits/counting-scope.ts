import { toAppError } from '../../platform/errors.ts'
import type { RequestScope } from '../request-scope.ts'
import type { RateLimits } from './rate-limits.ts'

/** A scope that counts the credentials which it refuses, by address: whoever keeps guessing is told to wait instead. */
export function countingScope(scope: RequestScope, limits: RateLimits): RequestScope {
  return {
    async open(request, response, access) {
      try {
        return await scope.open(request, response, access)
      } catch (error) {
        if (toAppError(error).status === 401) await limits.countRefusal(request, response)
        throw error
      }
    },
    stillHolds: (request, context) => scope.stillHolds(request, context),
  }
}
