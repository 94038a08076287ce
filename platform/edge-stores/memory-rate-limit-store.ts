import type { RateLimiterMemory } from 'rate-limiter-flexible'
import { type Limiters, limiterRateStore } from './limiter-rate-store.ts'
import type { RateLimitStore, RateWindow } from './rate-limit-store.ts'

/** Counts in this process alone. */
export function memoryRateLimitStore(): RateLimitStore {
  return limiterRateStore(memoryLimiter)
}

export function memoryLimiter(limiters: Limiters, { name, points, seconds }: RateWindow): RateLimiterMemory {
  return new limiters.RateLimiterMemory({ keyPrefix: name, points, duration: seconds })
}
