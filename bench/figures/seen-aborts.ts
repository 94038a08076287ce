import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { completionCall } from '../calls.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import { leaveAtFirstByte } from '../exchange.ts'
import type { Figure } from '../figure.ts'
import type { Target } from '../targets/target.ts'

const clients = 10
const limitMs = 400
const call = completionCall(completionBody({ model: 'mock-paced', chunks: 500 }))

export const seenAborts: Figure = {
  name: 'aborts',
  title: `Clients that leave in mid-stream: seen upstream within ${limitMs} ms`,
  columns: [{ label: `of ${clients}`, digits: 0, against: 'nothing', reach: { atLeast: clients } }],
  baseline: 'bare proxy',
  contestants: proxies(async (target, { upstream }) => {
    const pool = new Pool(target.origin)
    const before = await clientsThatLeft(upstream)
    await Promise.all(Array.from({ length: clients }, () => leaveAtFirstByte(pool, target, call)))
    await sleep(limitMs)
    const seen = (await clientsThatLeft(upstream)) - before
    await pool.destroy()
    return [seen]
  }),
}

async function clientsThatLeft(upstream: Target): Promise<number> {
  const response = await fetch(new URL('/left', upstream.origin))
  const { left } = (await response.json()) as { left: number }
  return left
}
