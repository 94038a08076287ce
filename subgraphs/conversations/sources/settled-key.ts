import { setImmediate as afterThisTurn } from 'node:timers/promises'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { Page } from '../../../platform/pagination.ts'

/** A page, and the newest key that it may reach to; null: any. */
export type BoundedPage = Page & { readonly upTo: string | null }

/** Up to which key all conversations can be seen that ever will be, which is one that can be seen, or 0. */
export type SettledKey = () => Promise<string>

/**
 * Lists that begin with the oldest end there, so that whoever reads on from their end passes nothing over (decision 0004).
 * `migrations/0015-keys-told-while-given.ts` tells how.
 *
 * One for a process: the statement may have to wait, and each that did would keep a connection from everybody else. Whoever asks while
 * it runs shares the next one, as what runs may not know what they have made just before.
 */
export function settledKey(database: SubgraphDatabase): SettledKey {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<string> | null = null

  const ask = async () => {
    const [row] = await database.prepared<{ key: string }>('settled_key', newestSettled, [])
    return row?.key ?? '0'
  }
  const askNext = async (former: Promise<unknown>) => {
    await Promise.allSettled([former, afterThisTurn()])
    next = null
    const asked = ask()
    running = asked
    return asked
  }
  return () => {
    next ??= askNext(running)
    return next
  }
}

const newestSettled = 'select conversations.settled_key() as key'
