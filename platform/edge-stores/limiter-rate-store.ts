import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateDraw, RateLimitStore, RateWindow } from './rate-limit-store.ts'

/** A store of the limiters that `create` makes, one for each window. */
export function limiterRateStore(create: (window: RateWindow) => RateLimiterAbstract): RateLimitStore {
  const limiters = new Map<string, RateLimiterAbstract>()
  const limiterOf = (window: RateWindow): RateLimiterAbstract => {
    const known = limiters.get(window.name)
    if (known) return known
    const limiter = create(window)
    limiters.set(window.name, limiter)
    return limiter
  }
  return {
    async draw(window, key, cost) {
      try {
        return drawOf(true, await limiterOf(window).consume(key, cost))
      } catch (refusal) {
        // The limiter throws its result where too little is left.
        if (refusal instanceof RateLimiterRes) return drawOf(false, refusal)
        throw refusal
      }
    },
  }
}

function drawOf(allowed: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): RateDraw {
  return { allowed, remaining: remainingPoints, resetsAt: Date.now() + msBeforeNext }
}
