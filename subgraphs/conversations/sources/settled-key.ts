import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { Page } from '../../../platform/pagination.ts'

/** A page, and the newest key that it may reach to; null: any. */
export type BoundedPage = Page & { readonly upTo: string | null }

/** Up to which key all conversations can be seen that ever will be, which is one that can be seen, or 0. Whoever asks at the same moment shares a statement. */
export type SettledKey = () => Promise<string>

/**
 * Lists that begin with the oldest end there, so that whoever reads on from their end passes nothing over (decision 0004).
 * `migrations/0015-keys-told-while-given.ts` tells how.
 */
export function settledKey(database: SubgraphDatabase): SettledKey {
  const keys = new DataLoader<'newest', string>(
    async (requests) => {
      const [row] = await database.prepared<{ key: string }>('settled_key', newestSettled, [])
      return requests.map(() => row?.key ?? '0')
    },
    { cache: false },
  )
  return () => keys.load('newest')
}

const newestSettled = 'select conversations.settled_key() as key'
