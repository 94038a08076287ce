import { sql } from 'kysely'
import { hasIdShape } from '../../../platform/ids.ts'
import type { EditableMessage } from '../content/edited-message.ts'
import type { Cut } from './branch-writes.ts'
import type { Connection } from './transaction.ts'

/** Which item a fork is made at. */
export interface ForkRequest {
  readonly ownerId: string
  readonly conversationId: string
  readonly itemId: string
  /** Whether the user's message is left out, for another takes its place. */
  readonly replaces: boolean
}

/** Why there is no such fork. */
export type ForkRefusal = 'conversation_not_found' | 'item_not_found' | 'item_unsuitable'

/** Where a branch is cut for another answer, and the user's message there. */
export interface ForkPoint {
  readonly refusal: null
  readonly conversationKey: string
  readonly cut: Cut & { readonly upTo: number }
  readonly question: EditableMessage
  /** How many branches the conversation has. */
  readonly branches: number
}

interface ForkColumns extends EditableMessage {
  readonly refusal: ForkRefusal | null
  readonly conversationKey: string
  readonly branchKey: string
  readonly upTo: number
  readonly branches: number
}

/** As `fork_point` finds it: by an id of any branch, on the active one where the item stands there too. */
export async function forkPoint(
  db: Connection,
  { ownerId, conversationId, itemId, replaces }: ForkRequest,
): Promise<ForkPoint | { readonly refusal: ForkRefusal }> {
  if (!hasIdShape('conversation', conversationId)) return { refusal: 'conversation_not_found' }
  const id = hasIdShape('item', itemId) ? itemId : ''
  const { rows } = await sql<ForkColumns>`
    select point.refusal, c.key as "conversationKey", point.branch_key as "branchKey", point.up_to as "upTo",
      question.content, question.details,
      (select count(*) from conversations.branch b where b.conversation_key = c.key)::integer as branches
    from conversations.conversation c
    cross join lateral conversations.fork_point(c.key, c.active_branch_key, ${id}, ${replaces}) point
    left join conversations.item question on question.key = point.question_key
    where c.public_id = ${conversationId} and c.owner_id = ${ownerId} and c.deleted_at is null`.execute(db)
  const [found] = rows
  if (!found) return { refusal: 'conversation_not_found' }
  const { refusal, conversationKey, branchKey, upTo, branches, content, details } = found
  if (refusal !== null) return { refusal }
  const cut = { branchKey, upTo, without: null }
  return { refusal, conversationKey, cut, question: { content, details }, branches }
}

/** The model of the conversation's newest answer, on whichever branch; null where none has answered. */
export async function lastModelId(db: Connection, conversationKey: string): Promise<string | null> {
  const { rows } = await sql<{ modelId: string }>`
    select model_id as "modelId" from conversations.item
    where conversation_key = ${conversationKey} and model_id is not null order by key desc limit 1`.execute(
    db,
  )
  return rows[0]?.modelId ?? null
}
