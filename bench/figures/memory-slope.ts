import { Pool } from 'undici'
import { completionCall } from '../calls.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import { exchange, leaveAtFirstByte } from '../exchange.ts'
import type { Figure } from '../figure.ts'
import { residentMegabytes } from '../process-usage.ts'
import { slope } from '../statistics.ts'
import type { Target } from '../targets/target.ts'

const requests = 100_000
const connections = 20
const everyNthLeaves = 5
const sampleEvery = 2000
/** The first half fills caches and lets the heap find its size; in a quick run that takes longer than it lasts. */
const warmUpShare = 0.5

const plain = completionCall(completionBody())
const stream = completionCall(completionBody({ model: 'mock-paced', chunks: 500 }))

/** Every fifth request is a stream that its client leaves in the middle. */
export const memorySlope: Figure = {
  name: 'memory',
  title: `Resident memory over ${requests} requests, of which every ${everyNthLeaves}th is a stream that its client leaves`,
  columns: [
    { label: 'MB at the start', digits: 0, against: 'nothing' },
    { label: 'MB at the end', digits: 0, against: 'nothing' },
    { label: 'MB per 100,000, warm', digits: 1, against: 'nothing', reach: { atMost: 10 } },
  ],
  baseline: 'bare proxy',
  long: true,
  contestants: proxies(async (target, { quick }) => {
    const count = quick ? requests / 10 : requests
    const samples = await load(target, count)
    const warm = samples.filter(([served]) => served >= count * warmUpShare)
    return [samples[0]?.[1] ?? Number.NaN, samples.at(-1)?.[1] ?? Number.NaN, slope(warm) * 100_000]
  }),
}

/** How much memory the target held after so many requests. */
async function load(target: Target, count: number): Promise<readonly (readonly [number, number])[]> {
  const pool = new Pool(target.origin, { connections })
  const samples: [number, number][] = []
  let begun = 0
  const caller = async () => {
    while (begun < count) {
      const number = begun++
      if (number % sampleEvery === 0) samples.push([number, residentMegabytes(target.pid)])
      if (number % everyNthLeaves === 0) await leaveAtFirstByte(pool, target, stream)
      else await exchange(pool, target, plain)
    }
  }
  await Promise.all(Array.from({ length: connections }, caller))
  await pool.destroy()
  return samples
}
