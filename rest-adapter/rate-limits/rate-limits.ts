import type { RequestHandler, Response } from 'express'
import type { Actor } from '../../platform/actor.ts'
import type { RequestContext } from '../../platform/context.ts'
import type { RateDraw, RateLimitStore, RateWindow } from '../../platform/edge-stores/rate-limit-store.ts'
import { AppError } from '../../platform/errors.ts'
import type { RouteRate } from '../route.ts'
import { addressKey } from './address-key.ts'
import { addressWindows } from './gateway-limits.ts'
import { perHour, perMinute } from './windows.ts'

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

/** One request as the limits see it, once it is known who sends it. */
export interface Caller {
  readonly actor: Actor | null
  readonly ip: string | null
  /** The path family it came through: `llm` is counted by caller. */
  readonly family: string | undefined
}

/** A request's sender. */
export function callerOf({ actor, client }: RequestContext, response: Response): Caller {
  return { actor, ip: client.ip, family: response.locals.family as string | undefined }
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
  countRefusal(ip: string | null, response: Response): Promise<void>
  /** Whether anything is counted by caller at all. */
  readonly active: boolean
}

/** What of a route its limit depends on. */
export interface LimitedRoute {
  readonly method: string
  readonly path: string
  readonly rate: RouteRate
}

interface Draw {
  readonly window: RateWindow
  readonly key: string
  readonly cost: number
}

/** The window that requests of every kind draw from, each its cost. */
const bucketName = 'bucket'

/** What one address may guess in a minute, before it is told to wait. */
const refusalWindow = perMinute('refused credentials', 60)

export function rateLimits(options: RateLimitOptions): RateLimits {
  const { profile, store } = options
  return {
    admitAddress(request, response, next) {
      if (profile !== 'gateway') return next()
      const key = addressKey(request.ip)
      const draws = addressWindows(request.path).map((window): Draw => ({ window, key, cost: 1 }))
      admit(store, draws, response).then(() => next(), next)
    },
    async admitCaller(route, caller, response) {
      const draws = callerDraws(options, route, caller)
      if (draws.length > 0) await admit(store, draws, response)
    },
    async admitFields(routes, caller) {
      const draws = routes.flatMap((route) => callerDraws(options, route, caller))
      if (draws.length > 0) await admit(store, together(draws), null)
    },
    async countRefusal(ip, response) {
      if (profile === 'off') return
      await admit(store, [{ window: refusalWindow, key: addressKey(ip), cost: 1 }], response)
    },
    active: profile !== 'off' || options.guestLoginsPerHour > 0,
  }
}

/** One draw for each window, of all that is drawn from it. */
function together(draws: readonly Draw[]): readonly Draw[] {
  const sums = new Map<string, Draw>()
  for (const draw of draws) {
    const id = `${draw.window.name} ${draw.key}`
    sums.set(id, { ...draw, cost: draw.cost + (sums.get(id)?.cost ?? 0) })
  }
  return [...sums.values()]
}

function callerDraws(
  { profile, tierPerMinute, guestLoginsPerHour }: RateLimitOptions,
  { method, path, rate }: LimitedRoute,
  { actor, ip, family }: Caller,
): Draw[] {
  const key = actor ? `user:${actor.id}` : addressKey(ip)
  const draws: Draw[] = []
  if (profile === 'documented') {
    draws.push({ window: perMinute(`${method} ${path}`, rate.perMinute), key, cost: 1 })
    draws.push({ window: perMinute(bucketName, tierPerMinute * 10), key, cost: rate.cost })
  }
  if (profile === 'gateway' && family === 'llm') draws.push({ window: perMinute('/llm', 120), key, cost: 1 })
  if (path === '/auth/guest-login' && guestLoginsPerHour > 0) {
    const window = perHour('guest-login', guestLoginsPerHour)
    draws.push({ window, key: addressKey(ip), cost: 1 })
  }
  return draws
}

/** Draws from all windows; what the caller is told is the window that has least left. */
async function admit(
  store: RateLimitStore,
  draws: readonly Draw[],
  response: Response | null,
): Promise<void> {
  const found = await Promise.all(
    draws.map(async ({ window, key, cost }) => ({ window, draw: await store.draw(window, key, cost) })),
  )
  const [first, ...others] = found
  if (!first) return
  const tightest = others.reduce((least, next) => (leftOf(next) < leftOf(least) ? next : least), first)
  if (response) tell(response, tightest)
  if (!tightest.draw.allowed) throw limited(tightest)
}

interface Counted {
  readonly window: RateWindow
  readonly draw: RateDraw
}

function leftOf({ window, draw }: Counted): number {
  return draw.allowed ? draw.remaining / window.points : -1
}

function tell(response: Response, { window, draw }: Counted): void {
  const limit = String(window.points)
  const remaining = String(draw.remaining)
  response.setHeader('X-RateLimit-Limit', limit)
  response.setHeader('X-RateLimit-Remaining', remaining)
  response.setHeader('X-RateLimit-Reset', String(Math.ceil(draw.resetsAt / 1000)))
  if (window.seconds !== 60) return
  response.setHeader('X-RateLimit-Limit-minute', limit)
  response.setHeader('X-RateLimit-Remaining-minute', remaining)
}

function limited({ window, draw }: Counted): AppError {
  return new AppError('rate_limited', `${refusalOf(window)} Try again later.`, {
    retryAfter: Math.max(1, Math.ceil((draw.resetsAt - Date.now()) / 1000)),
    quota: {
      limit: window.points,
      remaining: draw.remaining,
      resetAt: Math.ceil(draw.resetsAt / 1000),
    },
  })
}

function refusalOf({ name, points, seconds }: RateWindow): string {
  if (name === bucketName) return 'The requests of this minute cost more than your tier has.'
  return `There have been more than ${points} requests in this ${seconds === 60 ? 'minute' : 'hour'}.`
}
