import { Pool } from 'undici'
import { completionCall } from '../calls.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import { post } from '../exchange.ts'
import type { Figure } from '../figure.ts'
import { sharedClock, tokenFrame } from '../frames.ts'
import { percentile } from '../statistics.ts'
import type { Target } from '../targets/target.ts'

const streams = 25
const chunks = 100
const model = 'mock-stamped'
const call = completionCall(completionBody({ model, chunks }))

/** Each chunk says when it was written. One that is held back arrives with the next one, 20 ms later or more. */
export const exactChunks: Figure = {
  name: 'exact-chunks',
  title: `Every chunk of ${streams} paced streams of ${chunks}: its bytes, and how long it was under way`,
  columns: [
    { label: 'exact, %', digits: 1, against: 'nothing', reach: { atLeast: 100 } },
    { label: 'with the one before, %', digits: 2, against: 'nothing' },
    { label: 'p99 ms', digits: 2, against: 'difference' },
  ],
  baseline: 'bare proxy',
  contestants: proxies(async (target) => {
    const pool = new Pool(target.origin)
    const arrived = await Promise.all(Array.from({ length: streams }, () => arrivals(pool, target)))
    await pool.destroy()
    const all = arrived.flat()
    const share = (count: number) => (100 * count) / (streams * chunks)
    return [
      share(all.filter(({ exact }) => exact).length),
      share(all.filter(({ late }) => late).length),
      percentile(
        all.map(({ ms }) => ms),
        0.99,
      ),
    ]
  }),
}

interface Arrival {
  readonly exact: boolean
  /** Came in one read with the chunk before it. */
  readonly late: boolean
  readonly ms: number
}

function arrivals(pool: Pool, target: Target): Promise<readonly Arrival[]> {
  return new Promise((resolve, reject) => {
    const arrived: Arrival[] = []
    let rest = ''
    pool.dispatch(post(target, call), {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData(_, part) {
        const now = sharedClock()
        const frames = (rest + part.toString()).split('\n\n')
        rest = frames.pop() ?? ''
        for (const [at, frame] of frames.filter((text) => text.includes('@')).entries())
          arrived.push(arrival(`${frame}\n\n`, arrived.length, now, at > 0))
      },
      onResponseEnd: () => resolve(arrived),
      onResponseError: (_, error) => reject(error),
    })
  })
}

function arrival(frame: string, number: number, now: number, late: boolean): Arrival {
  const [, stamp = ''] = /@([\d.]+)/.exec(frame) ?? []
  return { exact: frame === tokenFrame(model, `${number}@${stamp}`), late, ms: now - Number(stamp) }
}
