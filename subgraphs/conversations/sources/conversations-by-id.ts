import type { SubgraphDatabase } from '../../../platform/db.ts'
import { type OwnedRows, ownedRows, type RowAt } from '../../../platform/owned-rows.ts'
import {
  type ConversationColumns,
  type ConversationRow,
  conversationColumns,
  conversationRow,
} from './conversation-row.ts'

/** Live conversations by their owners and ids. */
export function conversationsById(database: SubgraphDatabase): OwnedRows<ConversationRow> {
  return ownedRows(async (owners, ids) => {
    const rows = await database.prepared<RowAt<ConversationColumns>>('conversations_by_id', statement, [
      owners,
      ids,
    ])
    return rows.map(({ at, ...row }) => ({ at, ...conversationRow(row) }))
  })
}

/**
 * The ids alone find the rows. Planned for any owner, the condition on the owner would be looked up too, and an account of 100,000
 * conversations is no usual one.
 */
const statement = `
  select wanted.at::integer, ${conversationColumns('c', 'b')}
  from unnest($1::uuid[], $2::text[]) with ordinality as wanted (owner, id, at)
  cross join lateral (select * from conversations.conversation where public_id = wanted.id limit 1) c
  join conversations.branch b on b.key = c.active_branch_key
  where c.owner_id = wanted.owner and c.deleted_at is null`
