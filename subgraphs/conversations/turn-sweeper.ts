import type { SubgraphDatabase } from '../../platform/db.ts'
import type { Logger } from '../../platform/log.ts'
import type { ChangePublisher } from './live/change-publisher.ts'
import { connection } from './sources/transaction.ts'
import { sweepTurns } from './sources/turns.ts'

const intervalMs = 3_000

/** Closes turns whose writer died. Every process sweeps; PostgreSQL shares the work out. */
export interface TurnSweeper {
  /** Sweeps at once, then at intervals. */
  start(): Promise<void>
  stop(): Promise<void>
}

export function turnSweeper(
  database: SubgraphDatabase,
  changes: Pick<ChangePublisher, 'tell'>,
  log: Logger,
): TurnSweeper {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const sweep = async () => {
    try {
      const swept = await sweepTurns(connection(database))
      for (const { itemId, ...where } of swept)
        changes.tell({ ...where, kind: null, items: [{ kind: 'UPDATED', id: itemId }] })
      if (swept.length > 0) log.info({ count: swept.length }, 'answers that were broken off were closed')
    } catch (error) {
      log.warn({ err: error }, 'sweeping turns failed; trying again')
    }
  }

  return {
    async start() {
      await sweep()
      timer = setInterval(() => {
        running = running.then(sweep)
      }, intervalMs)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
