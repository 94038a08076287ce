import type { Response } from 'express'
import type { RateDraw, RateLimitStore, RateWindow } from '../../platform/edge-stores/rate-limit-store.ts'
import { AppError } from '../../platform/errors.ts'
import { bucketName } from './windows.ts'

/** What is asked of a window. */
export interface Draw {
  readonly window: RateWindow
  readonly key: string
  readonly cost: number
}

/** What came of it. */
interface Drawn {
  readonly asked: Draw
  readonly found: RateDraw
}

/**
 * Draws from one window after the other and tells the caller of the one that has least left. A request that one of them refuses
 * gets back what it has drawn from all others, also when it was let in before, by its address.
 * @param response what the headers go to, and where the request's draws are kept; null tells only a refusal
 * @throws AppError `rate_limited`
 */
export async function admit(
  store: RateLimitStore,
  draws: readonly Draw[],
  response: Response | null,
): Promise<void> {
  const taken = response ? drawnBy(response) : []
  let tightest: Drawn | undefined
  for (const asked of draws) {
    const found = await store.draw(asked.window, asked.key, asked.cost)
    const drawn: Drawn = { asked, found }
    if (!found.allowed) {
      await Promise.all(taken.splice(0).map((earlier) => giveBack(store, earlier)))
      if (response) tell(response, drawn)
      throw limited(drawn)
    }
    taken.push(drawn)
    if (!tightest || leftOf(drawn) < leftOf(tightest)) tightest = drawn
  }
  if (response && tightest) tell(response, tightest)
}

/** One draw for each window, of all that is drawn from it. */
export function together(draws: readonly Draw[]): readonly Draw[] {
  const sums = new Map<string, Draw>()
  for (const draw of draws) {
    const id = `${draw.window.name} ${draw.key}`
    sums.set(id, { ...draw, cost: draw.cost + (sums.get(id)?.cost ?? 0) })
  }
  return [...sums.values()]
}

function drawnBy({ locals }: Response): Drawn[] {
  const known = locals.drawn as Drawn[] | undefined
  if (known) return known
  const drawn: Drawn[] = []
  locals.drawn = drawn
  return drawn
}

function giveBack(store: RateLimitStore, { asked: { window, key, cost }, found }: Drawn): Promise<void> {
  return store.giveBack(window, key, cost, found)
}

function leftOf({ asked, found }: Drawn): number {
  return found.remaining / asked.window.points
}

function tell(response: Response, { asked: { window }, found }: Drawn): void {
  const limit = String(window.points)
  const remaining = String(found.remaining)
  response.setHeader('X-RateLimit-Limit', limit)
  response.setHeader('X-RateLimit-Remaining', remaining)
  response.setHeader('X-RateLimit-Reset', String(Math.ceil(found.resetsAt / 1000)))
  if (window.seconds !== 60) return
  response.setHeader('X-RateLimit-Limit-minute', limit)
  response.setHeader('X-RateLimit-Remaining-minute', remaining)
}

function limited({ asked: { window }, found }: Drawn): AppError {
  return new AppError('rate_limited', `${refusalOf(window)} Try again later.`, {
    retryAfter: Math.max(1, Math.ceil((found.resetsAt - Date.now()) / 1000)),
    quota: {
      limit: window.points,
      remaining: found.remaining,
      resetAt: Math.ceil(found.resetsAt / 1000),
    },
  })
}

function refusalOf({ name, points, seconds }: RateWindow): string {
  if (name === bucketName) return 'The requests of this minute cost more than your tier has.'
  return `There have been more than ${points} requests in this ${seconds === 60 ? 'minute' : 'hour'}.`
}
