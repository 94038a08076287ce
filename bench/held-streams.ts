import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Call } from './calls.ts'
import { endChild, spawnChild } from './child-process.ts'
import { post } from './exchange.ts'
import type { Target } from './targets/target.ts'

/** Streams that other processes hold open. */
export interface HeldStreams {
  /** How many have had their first byte. */
  readonly open: number
  leave(): Promise<void>
}

/** The clients sit in several processes, so that none runs out of descriptors. */
const streamsPerProcess = 1250
const openLimitMs = 120_000

/** Opens streams and waits until each has had its first byte, or has failed. */
export async function heldStreams(target: Target, call: Call, count: number): Promise<HeldStreams> {
  const { origin, path, headers, body } = post(target, call)
  const holders = Array.from({ length: Math.ceil(count / streamsPerProcess) }, () =>
    spawnChild({
      script: 'bench/stream-holder.ts',
      args: [JSON.stringify({ origin, path, headers, body, count: Math.min(count, streamsPerProcess) })],
      isLoad: true,
    }),
  )
  const opened = await Promise.all(
    holders.map(async (holder) => {
      if (!holder.stdout) throw new Error('a holder of streams has no output')
      const lines = createInterface(holder.stdout)
      const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(openLimitMs) })
      return Number(line)
    }),
  )
  return {
    open: opened.reduce((sum, each) => sum + each, 0),
    async leave() {
      await Promise.all(holders.map((holder) => endChild(holder)))
    },
  }
}
