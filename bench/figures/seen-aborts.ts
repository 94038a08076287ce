import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { completionBody } from '../completion-body.ts'
import { leaveAtFirstByte } from '../exchange.ts'
import type { Figure } from '../figure.ts'
import type { Target } from '../targets/target.ts'

const clients = 10
const limitMs = 400
const body = completionBody({ chunks: 500, paced: true })

export const seenAborts: Figure = {
  title: `Clients that leave in mid-stream: seen upstream within ${limitMs} ms`,
  columns: [{ label: `of ${clients}`, digits: 0, against: 'nothing' }],
  async sample(target, { upstream }) {
    const pool = new Pool(new URL(target.url).origin)
    const before = await clientsThatLeft(upstream)
    await Promise.all(Array.from({ length: clients }, () => leaveAtFirstByte(pool, target, body)))
    await sleep(limitMs)
    const seen = (await clientsThatLeft(upstream)) - before
    await pool.close()
    return [seen]
  },
}

async function clientsThatLeft(upstream: Target): Promise<number> {
  const response = await fetch(new URL('/left', upstream.url))
  const { left } = (await response.json()) as { left: number }
  return left
}
