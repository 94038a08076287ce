import type { Logger } from '../../platform/log.ts'
import type { ObjectStore } from '../../platform/object-store/object-store.ts'
import type { LeftoverSource } from './sources/leftovers.ts'

/** What sweeping is done with. */
export interface SweeperParts {
  /** Ends the time of media that nobody needs. */
  endRetention(): Promise<unknown>
  readonly leftovers: LeftoverSource
  readonly objects: Pick<ObjectStore, 'delete'>
  readonly log: Logger
}

const batch = 100

/** Removes what no media claims: objects of media that were deleted, and of uploads that ended half-way or never came. */
export async function sweep({
  leftovers,
  objects,
}: Omit<SweeperParts, 'endRetention' | 'log'>): Promise<number> {
  await leftovers.forgetUploads()
  let removed = 0
  for (;;) {
    const keys = await leftovers.take(batch)
    if (keys.length === 0) return removed
    await objects.delete(keys)
    await leftovers.removed(keys)
    removed += keys.length
  }
}

const periodMs = 60_000

/** Sweeps and ends retention every minute, and when it is told that something is due. */
export function startSweeper(parts: SweeperParts) {
  let running: Promise<void> | null = null
  let again = false
  const run = async () => {
    do {
      again = false
      try {
        await parts.endRetention()
        await sweep(parts)
      } catch (err) {
        parts.log.warn({ err }, 'leftovers of media could not be removed; they will be, later')
      }
    } while (again)
    running = null
  }
  const wake = () => {
    again = true
    running ??= run()
  }
  const timer = setInterval(wake, periodMs).unref()
  return {
    wake,
    async stop() {
      clearInterval(timer)
      again = false
      await running
    },
  }
}

/** A running sweeper. */
export type Sweeper = ReturnType<typeof startSweeper>
