import { type RawBuilder, sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { type Connection, connection } from './transaction.ts'

/** Small enough that nobody waits for the locks of one batch. */
const batch = 200

/**
 * Removes everything that a user has here, in short transactions: turns first, so that an answer that still runs finds
 * nothing to write to, then conversations with their branches and items.
 */
export async function eraseOwner(database: SubgraphDatabase, ownerId: string): Promise<void> {
  const db = connection(database)
  // each has an index of its own
  await eraseAll(db, ownerId, sql`deleted_at is null`)
  await eraseAll(db, ownerId, sql`deleted_at is not null`)
}

async function eraseAll(db: Connection, ownerId: string, which: RawBuilder<unknown>): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ found: number }>`
      with doomed as (
        select key from conversations.conversation
        where owner_id = ${ownerId}::uuid and ${which}
        order by key limit ${batch} for update
      ), ended as (
        delete from conversations.turn t using doomed d where t.conversation_key = d.key
      ), erased as (
        delete from conversations.conversation c using doomed d where c.key = d.key
      )
      select count(*)::int as found from doomed`.execute(db)
    if ((rows[0]?.found ?? 0) < batch) return
  }
}
