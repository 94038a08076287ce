import { Pool } from 'undici'
import { type Exchange, exchange } from './exchange.ts'
import { cpuSeconds } from './process-usage.ts'
import type { Target } from './targets/target.ts'

/** Load by callers who each send their next request when the last is answered. */
export interface ClosedLoop {
  readonly connections: number
  readonly seconds: number
  /** The body of a caller's next request, given the answer to its last. */
  nextBody(previous: string | undefined): string
}

/** What came of it. */
export interface LoopResult {
  readonly exchanges: readonly Pick<Exchange, 'firstByteMs' | 'totalMs'>[]
  readonly seconds: number
  /** CPU that the target's own process used meanwhile; not its database's. */
  readonly cpuSeconds: number
  /** Events of the streams, `[DONE]` included; 0 where bodies are plain. */
  readonly events: number
}

/** Loads a target for about `seconds`; requests under way at the end are waited for and counted. */
export async function closedLoop(
  target: Target,
  { connections, seconds, nextBody }: ClosedLoop,
): Promise<LoopResult> {
  const pool = new Pool(new URL(target.url).origin, { connections, pipelining: 1 })
  const exchanges: Pick<Exchange, 'firstByteMs' | 'totalMs'>[] = []
  let events = 0
  const cpuBefore = cpuSeconds(target.pid)
  const started = performance.now()
  const deadline = started + seconds * 1000
  const caller = async () => {
    let previous: string | undefined
    while (performance.now() < deadline) {
      const { text, firstByteMs, totalMs } = await exchange(pool, target, nextBody(previous))
      exchanges.push({ firstByteMs, totalMs })
      events += countEvents(text)
      previous = text
    }
  }
  try {
    await Promise.all(Array.from({ length: connections }, caller))
    return {
      exchanges,
      events,
      seconds: (performance.now() - started) / 1000,
      cpuSeconds: cpuSeconds(target.pid) - cpuBefore,
    }
  } finally {
    await pool.close()
  }
}

function countEvents(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n\n'); at !== -1; at = text.indexOf('\n\n', at + 2)) count++
  return count
}
