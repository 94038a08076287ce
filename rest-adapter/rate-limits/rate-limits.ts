import type { Request, RequestHandler, Response } from 'express'
import type { RateLimitStore } from '../../platform/edge-stores/rate-limit-store.ts'
import { addressKey } from './address-key.ts'
import { admit, type Draw, together } from './admission.ts'
import { type Caller, callerDraws, type LimitedRoute } from './caller-draws.ts'
import { addressWindows, namelessWindows } from './gateway-limits.ts'
import { perMinute } from './windows.ts'

/** Which of the documented sets of limits holds (contract 8.6). */
export type RateLimitProfile = 'off' | 'documented' | 'gateway'

/** What rate limits are made of. */
export interface RateLimitOptions {
  readonly profile: RateLimitProfile
  /** Requests a minute of the tier that callers have; ten times as much is the bucket that their requests draw from. */
  readonly tierPerMinute: number
  /** Guests that one address may become in an hour; 0 is no limit. */
  readonly guestLoginsPerHour: number
  readonly store: RateLimitStore
}

/** Lets requests in, or tells when to come again. Both leave the documented headers. */
export interface RateLimits {
  /** Before anybody is identified. */
  readonly admitAddress: RequestHandler
  /** @throws AppError `rate_limited` */
  admitCaller(route: LimitedRoute, caller: Caller, response: Response): Promise<void>
  /** The same for all that one operation of the graph starts; tells only a refusal. */
  admitFields(routes: readonly LimitedRoute[], caller: Caller): Promise<void>
  /** Counts a credential that was refused. @throws AppError `rate_limited` for an address that keeps guessing */
  countRefusal(request: Request, response: Response): Promise<void>
  /**
   * Counts a request that came to nothing before its caller was counted: no credential, no such route, another method.
   * @throws AppError `rate_limited` for an address that keeps asking
   */
  countFailure(request: Request, response: Response): Promise<void>
  /** Whether anything is counted by caller at all. */
  readonly active: boolean
}

/** What one address may guess in a minute, before it is told to wait. */
const refusalWindow = perMinute('refused credentials', 60)
/** Contract 8.6, "anything else": what one address may ask in a minute that no route lets in. */
const failureWindow = perMinute('failures', 100)

const underLlm = /^\/llm(\/|$)/

export function rateLimits(options: RateLimitOptions): RateLimits {
  const { profile, store, guestLoginsPerHour } = options
  const drawsOf = callerDraws(options)
  /** What a request without a name draws through `/llm`, whose others are counted by caller. */
  const nameless = ({ path, ip }: Request, { locals }: Response): readonly Draw[] => {
    if (profile !== 'gateway' || !(locals.family === 'llm' || underLlm.test(path))) return []
    return namelessWindows(path).map((window) => ({ window, key: addressKey(ip), cost: 1 }))
  }
  return {
    admitAddress(request, response, next) {
      if (profile !== 'gateway') return next()
      const key = addressKey(request.ip)
      const draws = addressWindows(request.path).map((window): Draw => ({ window, key, cost: 1 }))
      admit(store, draws, response).then(() => next(), next)
    },
    async admitCaller(route, caller, response) {
      response.locals.counted = true
      await admit(store, drawsOf(route, caller), response)
    },
    async admitFields(routes, caller) {
      await admit(store, together(routes.flatMap((route) => drawsOf(route, caller))), null)
    },
    async countRefusal(request, response) {
      if (profile === 'off') return
      response.locals.counted = true
      const refusal: Draw = { window: refusalWindow, key: addressKey(request.ip), cost: 1 }
      await admit(store, [refusal, ...nameless(request, response)], response)
    },
    async countFailure(request, response) {
      if (profile === 'off' || response.locals.counted === true) return
      response.locals.counted = true
      const failure: Draw = { window: failureWindow, key: addressKey(request.ip), cost: 1 }
      await admit(store, profile === 'documented' ? [failure] : nameless(request, response), response)
    },
    active: profile !== 'off' || guestLoginsPerHour > 0,
  }
}
