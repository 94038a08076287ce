import { RateLimiterMemory } from 'rate-limiter-flexible'
import { limiterRateStore } from './limiter-rate-store.ts'
import type { RateLimitStore, RateWindow } from './rate-limit-store.ts'

/** Counts in this process alone. */
export function memoryRateLimitStore(): RateLimitStore {
  return limiterRateStore(memoryLimiter)
}

export function memoryLimiter({ name, points, seconds }: RateWindow): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix: name, points, duration: seconds })
}
