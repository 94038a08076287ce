import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Response } from 'express'
import type { Actor } from '../../platform/actor.ts'
import { memoryRateLimitStore } from '../../platform/edge-stores/memory-rate-limit-store.ts'
import { AppError } from '../../platform/errors.ts'
import { type Caller, type LimitedRoute, type RateLimits, rateLimits } from './rate-limits.ts'

const actor: Actor = {
  id: 'a-user',
  subject: 'a-user',
  method: 'jwt',
  roles: ['user'],
  scopes: [],
  username: null,
  email: null,
  featureFlags: [],
  isGuest: false,
  isAdmin: false,
}
const caller: Caller = { actor, ip: '192.0.2.1', family: undefined }
const chat: LimitedRoute = {
  method: 'post',
  path: '/v1/chat/completions',
  rate: { perMinute: 50, cost: 10 },
}
const list: LimitedRoute = {
  method: 'get',
  path: '/v1/conversations',
  rate: { perMinute: 600, cost: 1 },
}

let limits: RateLimits
let headers: Map<string, string>
const response = {
  setHeader: (name: string, value: string) => headers.set(name, value),
} as unknown as Response
beforeEach(() => {
  headers = new Map()
  limits = rateLimits({
    profile: 'documented',
    tierPerMinute: 10,
    guestLoginsPerHour: 0,
    store: memoryRateLimitStore(),
  })
})

describe('the bucket of a tier', () => {
  it('is drawn from by the cost of every route alike', async () => {
    for (let call = 0; call < 10; call += 1) await limits.admitCaller(chat, caller, response)
    const refusal = await limits.admitCaller(list, caller, response).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(AppError)
    expect(refusal).toMatchObject({ code: 'rate_limited', quota: { limit: 100, remaining: 0 } })
  })

  it('is what the headers tell of where it has less left than the route', async () => {
    await limits.admitCaller(list, caller, response)
    expect(headers.get('X-RateLimit-Limit')).toBe('100')
    expect(headers.get('X-RateLimit-Remaining')).toBe('99')
  })

  it('is each caller’s own; those without a name are told apart by address', async () => {
    const nobody = { actor: null, ip: '192.0.2.9', family: undefined }
    for (let call = 0; call < 10; call += 1) await limits.admitCaller(chat, caller, response)
    await limits.admitCaller(chat, nobody, response)
    await limits.admitCaller(chat, { ...caller, actor: { ...actor, id: 'another' } }, response)
    expect(headers.get('X-RateLimit-Remaining')).toBe('90')
  })
})
