import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateDraw, RateLimitStore, RateWindow } from './rate-limit-store.ts'

/** The library that counts. */
export type Limiters = typeof import('rate-limiter-flexible')

/** A store of the limiters that `create` makes, one for each window, of the library, which is loaded when something is limited. */
export function limiterRateStore(
  create: (limiters: Limiters, window: RateWindow) => RateLimiterAbstract,
): RateLimitStore {
  const limiters = new Map<string, RateLimiterAbstract>()
  let loading: Promise<Limiters> | undefined
  const limiterOf = (library: Limiters, window: RateWindow): RateLimiterAbstract => {
    const known = limiters.get(window.name)
    if (known) return known
    const limiter = create(library, window)
    limiters.set(window.name, limiter)
    return limiter
  }
  return {
    async draw(window, key, cost) {
      loading ??= import('rate-limiter-flexible')
      const library = await loading
      try {
        return drawOf(true, await limiterOf(library, window).consume(key, cost))
      } catch (refusal) {
        // The limiter throws its result where too little is left.
        if (refusal instanceof library.RateLimiterRes) return drawOf(false, refusal)
        throw refusal
      }
    },
  }
}

function drawOf(allowed: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): RateDraw {
  return { allowed, remaining: remainingPoints, resetsAt: Date.now() + msBeforeNext }
}
