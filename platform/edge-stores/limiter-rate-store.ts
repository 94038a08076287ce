import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { RateLimitStore, RateWindow } from './rate-limit-store.ts'

/** The library that counts. */
export type Limiters = typeof import('rate-limiter-flexible')

/** A window that is this near to its end gets nothing back: what came too late would be a gift to the next one. */
const endMs = 1_000

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
  const load = (): Promise<Limiters> => {
    loading ??= import('rate-limiter-flexible')
    return loading
  }
  return {
    async draw(window, key, cost) {
      const library = await load()
      const limiter = limiterOf(library, window)
      try {
        const { remainingPoints, msBeforeNext } = await limiter.consume(key, cost)
        return { allowed: true, remaining: remainingPoints, resetsAt: Date.now() + msBeforeNext }
      } catch (refusal) {
        // The limiter throws its result where too little is left, and has counted the cost all the same.
        if (!(refusal instanceof library.RateLimiterRes)) throw refusal
        const { consumedPoints, msBeforeNext } = refusal
        if (msBeforeNext > endMs) await limiter.reward(key, cost)
        const remaining = Math.max(0, window.points - (consumedPoints - cost))
        return { allowed: false, remaining, resetsAt: Date.now() + msBeforeNext }
      }
    },
    async giveBack(window, key, cost, { resetsAt }) {
      if (resetsAt - Date.now() <= endMs) return
      await limiterOf(await load(), window).reward(key, cost)
    },
  }
}
