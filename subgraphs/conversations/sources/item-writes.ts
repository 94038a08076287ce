import { sql } from 'kysely'
import { AppError } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import { type ItemRow, itemColumns } from './item-row.ts'
import { type Connection, json } from './transaction.ts'

/** Contract 3.1. */
export const maxItemsPerBranch = 10_000

/** Where items are appended. */
export interface AppendTarget {
  readonly conversationKey: string
  readonly branchKey: string
}

/**
 * Appends items to a branch, in order, each at the next position.
 * @throws AppError `conversation_full`
 */
export async function appendItems(
  db: Connection,
  target: AppendTarget,
  drafts: readonly ItemDraft[],
): Promise<ItemRow[]> {
  if (drafts.length === 0) return []
  const { lastPosition, branch } = await reservePositions(db, target, drafts.length)
  const firstPosition = lastPosition - drafts.length + 1
  const { rows } = await sql<ItemRow>`
    with draft as (
      select nextval(pg_get_serial_sequence('conversations.item', 'key')) as key, given.*
      from (values ${sql.join(drafts.map((draft, index) => draftValues(draft, firstPosition + index)))})
        as given (position, public_id, type, role, status, content, model_id, call_id, details, finish_reason, usage, incomplete_details)
    ), stored as (
      insert into conversations.item (
        key, conversation_key, type, role, status, content, model_id, call_id, details, finish_reason, usage,
        incomplete_details, completed_at, incomplete_at
      )
      select key, ${target.conversationKey}::bigint, type, role, status, content, model_id, call_id, details, finish_reason,
        usage, incomplete_details, ${endOf(sql`status`, 'completed')}, ${endOf(sql`status`, 'incomplete', 'failed')}
      from draft
      returning *
    ), placed as (
      insert into conversations.branch_item (branch_key, position, public_id, item_key)
      select ${target.branchKey}::bigint, position, public_id, key from draft
    )
    select draft.public_id as "publicId", draft.position, ${branch}::text as branch, ${itemColumns}
    from draft join stored i on i.key = draft.key order by draft.position`.execute(db)
  return rows
}

/** What somebody thinks of an item. */
export interface ItemOpinion {
  readonly rating: 'like' | 'unlike'
  readonly comment: string | null
}

/** Keeps what somebody thinks of an item's content, in place of what was thought before; null forgets it. */
export async function rateItem(db: Connection, key: string, opinion: ItemOpinion | null): Promise<void> {
  const at = opinion === null ? sql`null` : sql`now()`
  await sql`
    update conversations.item
    set rating = ${opinion?.rating ?? null}, rated_at = ${at}, rating_comment = ${opinion?.comment ?? null}
    where key = ${key}`.execute(db)
}

/** Raising the counter gives the positions, holds the limit and queues parallel turns, all in one statement. */
async function reservePositions(db: Connection, { branchKey }: AppendTarget, count: number) {
  const { rows } = await sql<{ lastPosition: number; branch: string }>`
    update conversations.branch set item_count = item_count + ${count}, updated_at = now()
    where key = ${branchKey} and item_count + ${count} <= ${maxItemsPerBranch}
    returning item_count as "lastPosition", name as branch`.execute(db)
  const [reserved] = rows
  if (reserved) return reserved
  return conversationFull()
}

/** The one answer where a branch can't take more. */
export function conversationFull(): never {
  throw new AppError('conversation_full', `A conversation holds at most ${maxItemsPerBranch} items.`, {
    param: 'conversation',
  })
}

function draftValues(draft: ItemDraft, position: number) {
  return sql`(
    ${position}::integer, ${newId('item')}::text, ${draft.type}::text, ${draft.role}::text, ${draft.status}::text,
    ${json(draft.content)}, ${draft.modelId ?? null}::text, ${draft.callId ?? null}::text, ${json(draft.details ?? {})},
    ${draft.finishReason ?? null}::text, ${json(draft.usage ?? undefined)}, ${json(draft.incompleteDetails ?? undefined)}
  )`
}

/** Now, when the item has ended that way. */
function endOf(status: ReturnType<typeof sql>, ...ends: string[]) {
  return sql`case when ${status} in (${sql.join(ends)}) then now() end`
}
