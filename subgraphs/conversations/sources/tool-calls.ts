import { sql } from 'kysely'
import type { Block } from '../content/blocks.ts'
import type { ItemDetails } from '../content/item-draft.ts'
import { type Connection, json } from './transaction.ts'

/** A tool call as far as reports go. */
export interface ToolCallState {
  readonly status: string
  readonly content: readonly Block[]
  readonly details: ItemDetails
}

/** A tool call's item at its place. */
export interface ToolCallRow extends ToolCallState {
  readonly key: string
  readonly publicId: string
  /** Whether it has not ended. */
  readonly isOpen: boolean
}

/**
 * Of the `mcp_call` items with a call id on a branch the newest, and the newest that is open, the newer first; where the branch has
 * none, of those on the conversation's other branches. Some runtimes give every turn the same ids.
 */
export async function toolCalls(
  db: Connection,
  { conversationKey, branchKey }: { conversationKey: string; branchKey: string },
  callId: string,
): Promise<ToolCallRow[]> {
  if (callId.includes('\u0000')) return []
  const { rows } = await sql<ToolCallRow>`
    select key, "publicId", status, content, details, "isOpen"
    from (
      select call.*, bool_or("isHere") over () as "areHere",
        row_number() over (partition by "isHere", "isOpen" order by place desc) as age,
        row_number() over (partition by "isHere" order by place desc) as "ageOfAll"
      from (
        select i.key, at.public_id as "publicId", at.branch_key = ${branchKey} as "isHere",
          case when at.branch_key = ${branchKey} then at.position else i.key end as place, i.status, i.content, i.details,
          i.status not in ('completed', 'failed', 'cancelled', 'incomplete') as "isOpen"
        from conversations.item i
        cross join lateral (
          select bi.public_id, bi.position, bi.branch_key from conversations.branch_item bi
          where bi.item_key = i.key and bi.deleted_at is null
          order by bi.branch_key = ${branchKey} desc, bi.branch_key desc limit 1
        ) at
        where i.conversation_key = ${conversationKey} and i.call_id = ${callId} and i.type = 'mcp_call'
      ) call
    ) ranked
    where "isHere" = "areHere" and ("ageOfAll" = 1 or ("isOpen" and age = 1))
    order by place desc`.execute(db)
  return rows
}

/** Stores how a call ended, and that it ended now. */
export async function endToolCall(db: Connection, key: string, end: ToolCallState): Promise<void> {
  await sql`
    update conversations.item
    set status = ${end.status}, content = ${json(end.content)}, details = ${json(end.details)}, completed_at = now(),
      incomplete_at = null, incomplete_details = null
    where key = ${key}`.execute(db)
}
