import { setTimeout as sleep } from 'node:timers/promises'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { Logger } from '../../../platform/log.ts'
import { indexChanges, indexFormer } from '../sources/search-index.ts'

const intervalMs = 1_000
/** Between two batches of what was there before: whoever works meanwhile shall not notice. */
const restMs = 100

/** Keeps the search index behind what is stored. Every process does; PostgreSQL shares the work out. */
export interface SearchIndexer {
  start(): void
  stop(): Promise<void>
}

export function searchIndexer(database: SubgraphDatabase, log: Logger): SearchIndexer {
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const once = async (): Promise<number> => {
    try {
      if ((await indexChanges(database)) > 0) return 0
      return (await indexFormer(database)) ? restMs : intervalMs
    } catch (error) {
      if (!stopping.signal.aborted) log.warn({ err: error }, 'indexing for search failed; trying again')
      return intervalMs
    }
  }
  const work = async () => {
    while (!stopping.signal.aborted) {
      const restFor = await once()
      await sleep(restFor, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    start() {
      running = work()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}
