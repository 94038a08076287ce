import type { Response } from 'express'
import type { Actor } from '../../platform/actor.ts'
import type { RequestContext } from '../../platform/context.ts'
import type { RouteRate } from '../route.ts'
import { addressKey } from './address-key.ts'
import type { Draw } from './admission.ts'
import { costOfBytes, declaredBytes } from './body-cost.ts'
import { namelessWindows } from './gateway-limits.ts'
import type { RateLimitOptions } from './rate-limits.ts'
import { bucketName, perHour, perMinute } from './windows.ts'

/** One request as the limits see it, once it is known who sends it. */
export interface Caller {
  readonly actor: Actor | null
  readonly ip: string | null
  /** The path family it came through: `llm` is counted by caller. */
  readonly family: string | undefined
  /** How large its body is said to be; infinite where that is not known. */
  readonly bytes: number
}

/** A request's sender. */
export function callerOf({ actor, client }: RequestContext, { locals, req }: Response): Caller {
  return {
    actor,
    ip: client.ip,
    family: locals.family as string | undefined,
    bytes: declaredBytes(req.headers),
  }
}

/** What of a route its limit depends on. */
export interface LimitedRoute {
  readonly method: string
  readonly path: string
  readonly rate: RouteRate
}

const adminRoute = /^\/v1\/admin(\/|$)/
/** Contract 1.8: what one principal may ask of all admin routes together, beside what each of them draws. */
const adminWindow = perMinute('/v1/admin', 100)
const llmWindow = perMinute('/llm', 120)

/** What a caller's requests draw by the limits that hold. */
export function callerDraws({
  profile,
  tierPerMinute,
  guestLoginsPerHour,
}: Omit<RateLimitOptions, 'store'>): (route: LimitedRoute, caller: Caller) => readonly Draw[] {
  const bucket = perMinute(bucketName, tierPerMinute * 10)
  const guestLogins = perHour('guest-login', guestLoginsPerHour)
  return ({ method, path, rate }, { actor, ip, family, bytes }) => {
    const draws: Draw[] = []
    if (path === '/auth/guest-login' && guestLoginsPerHour > 0)
      draws.push({ window: guestLogins, key: addressKey(ip), cost: 1 })
    if (profile === 'off') return draws
    const key = actor ? `user:${actor.id}` : addressKey(ip)
    if (adminRoute.test(path)) draws.push({ window: adminWindow, key, cost: 1 })
    if (profile === 'gateway') {
      if (family !== 'llm') return draws
      const windows = actor ? [llmWindow] : namelessWindows(path)
      return [...draws, ...windows.map((window) => ({ window, key, cost: 1 }))]
    }
    draws.push({ window: perMinute(rate.name ?? `${method} ${path}`, rate.perMinute), key, cost: 1 })
    // The bucket comes last: what a route's own window refuses never touches what all routes share.
    const cost = rate.cost === 'by size' ? costOfBytes(bytes) : rate.cost
    draws.push({ window: bucket, key, cost })
    return draws
  }
}
