import { Pool } from 'undici'
import type { Call } from './calls.ts'
import { type Exchange, exchange } from './exchange.ts'
import { cpuSeconds } from './process-usage.ts'
import type { Target } from './targets/target.ts'

/** Load by callers who each send their next request when the last is answered. */
export interface ClosedLoop {
  readonly connections: number
  readonly seconds: number
  /** A caller's next request, given the answer to its last. */
  nextCall(previous: string | undefined): Call
  /** What an answer is worth counting, as the chunks of a stream. */
  countIn?(text: string): number
}

/** What came of it. */
export interface LoopResult {
  readonly exchanges: readonly Pick<Exchange, 'firstByteMs' | 'totalMs'>[]
  readonly seconds: number
  /** CPU that the target's own process used meanwhile; not its database's. */
  readonly cpuSeconds: number
  /** The sum of what was counted. */
  readonly counted: number
}

/** Loads a target for about `seconds`; requests under way at the end are waited for and counted. */
export async function closedLoop(
  target: Target,
  { connections, seconds, nextCall, countIn = () => 0 }: ClosedLoop,
): Promise<LoopResult> {
  const pool = new Pool(target.origin, { connections, pipelining: 1 })
  const exchanges: Pick<Exchange, 'firstByteMs' | 'totalMs'>[] = []
  let counted = 0
  const cpuBefore = cpuSeconds(target.pid)
  const started = performance.now()
  const deadline = started + seconds * 1000
  const caller = async () => {
    let previous: string | undefined
    while (performance.now() < deadline) {
      const { text, firstByteMs, totalMs } = await exchange(pool, target, nextCall(previous))
      exchanges.push({ firstByteMs, totalMs })
      counted += countIn(text)
      previous = text
    }
  }
  try {
    await Promise.all(Array.from({ length: connections }, caller))
    return {
      exchanges,
      counted,
      seconds: (performance.now() - started) / 1000,
      cpuSeconds: cpuSeconds(target.pid) - cpuBefore,
    }
  } finally {
    await pool.destroy()
  }
}

/** How often a text stands in another. */
export function occurrences(of: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(of); at !== -1; at = text.indexOf(of, at + of.length)) count++
  return count
}
