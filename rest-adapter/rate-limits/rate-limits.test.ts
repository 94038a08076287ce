import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Request, Response } from 'express'
import type { Actor } from '../../platform/actor.ts'
import { memoryRateLimitStore } from '../../platform/edge-stores/memory-rate-limit-store.ts'
import { AppError } from '../../platform/errors.ts'
import { routes } from '../routes/index.ts'
import type { Caller, LimitedRoute } from './caller-draws.ts'
import { type RateLimitProfile, type RateLimits, rateLimits } from './rate-limits.ts'

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
const caller: Caller = { actor, ip: '192.0.2.1', family: undefined, bytes: 0 }
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
const rare: LimitedRoute = { method: 'get', path: '/v1/export', rate: { perMinute: 2, cost: 10 } }

let limits: RateLimits
let headers: Map<string, string>
const limitsOf = (profile: RateLimitProfile): RateLimits =>
  rateLimits({ profile, tierPerMinute: 10, guestLoginsPerHour: 0, store: memoryRateLimitStore() })
/** Of one request. */
const newResponse = () =>
  ({
    locals: {},
    setHeader: (name: string, value: string) => headers.set(name, value),
  }) as unknown as Response
const ask = (route: LimitedRoute, as: Caller = caller) => limits.admitCaller(route, as, newResponse())
const remaining = () => headers.get('X-RateLimit-Remaining')
beforeEach(() => {
  headers = new Map()
  limits = limitsOf('documented')
})

async function refusal(asked: Promise<unknown>): Promise<unknown> {
  const error = await asked.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AppError)
  return error
}

describe('the bucket of a tier', () => {
  it('is drawn from by the cost of every route alike', async () => {
    for (let call = 0; call < 10; call += 1) await ask(chat)
    const expected = { code: 'rate_limited', quota: { limit: 100, remaining: 0 } }
    expect(await refusal(ask(list))).toMatchObject(expected)
  })

  it('is what the headers tell of where it has less left than the route', async () => {
    await ask(list)
    expect(headers.get('X-RateLimit-Limit')).toBe('100')
    expect(remaining()).toBe('99')
  })

  it('is each caller’s own; those without a name are told apart by address', async () => {
    const nobody = { ...caller, actor: null, ip: '192.0.2.9' }
    for (let call = 0; call < 10; call += 1) await ask(chat)
    await ask(chat, nobody)
    await ask(chat, { ...caller, actor: { ...actor, id: 'another' } })
    expect(remaining()).toBe('90')
  })
})

describe('a refused request', () => {
  it('by its route leaves the bucket as it was', async () => {
    await ask(rare)
    await ask(rare)
    for (let call = 0; call < 20; call += 1)
      expect(await refusal(ask(rare))).toMatchObject({ quota: { limit: 2 } })
    await ask(list)
    expect(remaining()).toBe('79')
  })

  it('by the bucket leaves what it had left, and the window of the route', async () => {
    for (let call = 0; call < 9; call += 1) await ask(chat)
    for (let call = 0; call < 5; call += 1) await ask(list)
    const quota = { limit: 100, remaining: 5 }
    for (let call = 0; call < 60; call += 1) expect(await refusal(ask(chat))).toMatchObject({ quota })
    for (let call = 0; call < 5; call += 1) await ask(list)
    expect(await refusal(ask(list))).toMatchObject({ quota: { limit: 100 } })
  })

  it('by its caller leaves the windows of its address', async () => {
    limits = limitsOf('gateway')
    const through = async (as: Caller) => {
      const response = newResponse()
      const request = { path: '/llm/v1/models', ip: caller.ip } as Request
      await new Promise<void>((resolve, reject) => {
        limits.admitAddress(request, response, (error?: unknown) => (error ? reject(error) : resolve()))
      })
      await limits.admitCaller({ ...list, path: '/v1/models' }, as, response)
    }
    const named = { ...caller, family: 'llm' }
    for (let call = 0; call < 120; call += 1) await through(named)
    for (let call = 0; call < 500; call += 1)
      expect(await refusal(through(named))).toMatchObject({ quota: { limit: 120 } })
    await through({ ...named, actor: { ...actor, id: 'another' } })
  })

  it('of two at once never has the place of the other', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 30 }, () => ask(rare)))
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  })
})

describe('the routes of administrators', () => {
  it.each(['documented', 'gateway'] as const)('have one limit of their own (%s)', async (profile) => {
    limits = rateLimits({
      profile,
      tierPerMinute: 600,
      guestLoginsPerHour: 0,
      store: memoryRateLimitStore(),
    })
    const admin = (path: string): LimitedRoute => ({ ...list, path: `/v1/admin/${path}` })
    for (let call = 0; call < 50; call += 1) await ask(admin('one'))
    for (let call = 0; call < 50; call += 1) await ask(admin('two'), { ...caller, family: 'llm' })
    expect(await refusal(ask(admin('three')))).toMatchObject({ quota: { limit: 100 } })
    await ask(admin('three'), { ...caller, actor: { ...actor, id: 'another' } })
    await ask(list)
  })
})

describe('what the contract limits as one', () => {
  const found = (name: string) => {
    const [method, path] = name.split(' ')
    const route = routes.find((known) => known.method === method && known.path === path)
    if (!route) throw new Error(`there is no ${name}`)
    return route
  }
  const conversation = '/v1/conversations/:conversation_id'
  const item = `${conversation}/items/:item_id`

  it.each([
    [100, [`patch ${conversation}`, `post ${conversation}`]],
    [50, [`post ${conversation}/share`, `post ${item}/share`]],
    [100, [`post ${item}/edit`, `put ${item}/edit`, `patch ${item}`]],
    [
      50,
      [
        'post /v1/media',
        'post /v1/media/upload',
        'post /v1/media/prepare-upload',
        'post /v1/media/upload-presigned',
      ],
    ],
    [100, ['get /v1/public/shares/:slug', 'get /v1/share/:slug']],
  ])('%d a minute: %j', async (limit, names) => {
    limits = rateLimits({
      profile: 'documented',
      tierPerMinute: 600,
      guestLoginsPerHour: 0,
      store: memoryRateLimitStore(),
    })
    const spelled = names.map(found)
    for (let call = 0; call < limit; call += 1) await ask(spelled[call % spelled.length] as LimitedRoute)
    for (const route of spelled) expect(await refusal(ask(route))).toMatchObject({ quota: { limit } })
  })

  it.each([
    [100, 1],
    [5 * 1024 * 1024, 3],
    [Number.POSITIVE_INFINITY, 10],
  ])('an upload of %d bytes draws %d', async (bytes, cost) => {
    for (const name of ['post /v1/media', 'post /v1/media/upload'])
      await ask(found(name), { ...caller, bytes })
    await ask(list)
    expect(remaining()).toBe(String(100 - 2 * cost - 1))
  })
})
