import { sql } from 'kysely'
import type { Block } from '../content/blocks.ts'
import { endOf } from './item-writes.ts'
import { type Connection, json } from './transaction.ts'

/**
 * How long an answer in progress lives without a sign of life. Models send one every two or three seconds; after a crash
 * the answer reads as `incomplete` this much later, plus one interval of the sweeper.
 */
const leaseSeconds = 10

/** A turn on disk. Open while its answer is being written; `swept` when its lease ran out, until somebody finishes it after all. */
export interface TurnRow {
  readonly completionId: string
  readonly conversationKey: string
  readonly conversationId: string
  readonly branchKey: string
  readonly branch: string
  readonly itemKey: string
  readonly userItemId: string | null
  readonly assistantItemId: string
  readonly status: string
  readonly storeReasoning: boolean
}

/** A turn that is about to be stored. */
export interface NewTurn {
  readonly completionId: string
  readonly ownerId: string
  readonly conversationKey: string
  readonly branchKey: string
  readonly itemKey: string
  readonly userItemId: string | null
  readonly assistantItemId: string
  readonly storeReasoning: boolean
  readonly status: 'in_progress' | TurnEnd
}

/** How a turn ends. */
export type TurnEnd = 'completed' | 'incomplete' | 'failed'

/** The answer, when it ends. */
export interface Answer {
  readonly status: TurnEnd
  readonly content: readonly Block[]
  readonly finishReason: string | null
  readonly usage: unknown
  readonly incompleteDetails: unknown
}

const lease = sql`now() + make_interval(secs => ${sql.lit(leaseSeconds)})`
const open = sql`status in ('in_progress', 'swept')`

export async function insertTurn(db: Connection, turn: NewTurn): Promise<void> {
  const isOpen = turn.status === 'in_progress'
  await sql`
    insert into conversations.turn (
      completion_id, owner_id, conversation_key, branch_key, item_key, user_item_id, assistant_item_id, status,
      store_reasoning, lease_expires_at, finished_at
    ) values (
      ${turn.completionId}, ${turn.ownerId}, ${turn.conversationKey}, ${turn.branchKey}, ${turn.itemKey}, ${turn.userItemId},
      ${turn.assistantItemId}, ${turn.status}, ${turn.storeReasoning},
      ${isOpen ? lease : sql`null`}, ${isOpen ? sql`null` : sql`now()`}
    )`.execute(db)
}

/** The owner's turn of that completion; null when there is none. */
export async function findTurn(
  db: Connection,
  ownerId: string,
  completionId: string,
): Promise<TurnRow | null> {
  const { rows } = await sql<TurnRow>`
    select t.completion_id as "completionId", t.conversation_key as "conversationKey", c.public_id as "conversationId",
      t.branch_key as "branchKey", b.name as branch, t.item_key as "itemKey", t.user_item_id as "userItemId",
      t.assistant_item_id as "assistantItemId", t.status, t.store_reasoning as "storeReasoning"
    from conversations.turn t
    join conversations.conversation c on c.key = t.conversation_key
    join conversations.branch b on b.key = t.branch_key
    where t.completion_id = ${completionId} and t.owner_id = ${ownerId}`.execute(db)
  return rows[0] ?? null
}

/** Locks the conversation of a turn, deleted or not, and marks it as changed: first of all locks, as everywhere. */
export async function lockConversationOfTurn(
  db: Connection,
  ownerId: string,
  completionId: string,
): Promise<void> {
  await sql`
    update conversations.conversation c set updated_at = now() from conversations.turn t
    where t.completion_id = ${completionId} and t.owner_id = ${ownerId} and c.key = t.conversation_key`.execute(
    db,
  )
}

/** Stores an answer's end, unless it has one already. @returns whether it was stored */
export async function endTurn(db: Connection, completionId: string, answer: Answer): Promise<boolean> {
  const { status, content, finishReason, usage, incompleteDetails } = answer
  const { numAffectedRows } = await sql`
    with ended as (
      update conversations.turn set status = ${status}, lease_expires_at = null, finished_at = now()
      where completion_id = ${completionId} and ${open}
      returning item_key
    )
    update conversations.item i
    set status = ${status}, content = ${json(content)}, finish_reason = ${finishReason}, usage = ${json(usage ?? undefined)},
      incomplete_details = ${json(incompleteDetails ?? undefined)},
      completed_at = ${endOf(sql`${status}::text`, 'completed')}, incomplete_at = ${endOf(sql`${status}::text`, 'incomplete', 'failed')}
    from ended where i.key = ended.item_key`.execute(db)
  return Number(numAffectedRows ?? 0) === 1
}

/**
 * Renews the lease and stores the answer so far. A turn that was swept though its writer lives is taken up again.
 * @param content what to store, without and with reasoning; null leaves what is there
 * @returns false when the turn is unknown or has ended
 */
export async function checkpointTurn(
  db: Connection,
  ownerId: string,
  completionId: string,
  content: { readonly plain: readonly Block[]; readonly withReasoning: readonly Block[] } | null,
): Promise<boolean> {
  const stored =
    content === null
      ? sql`i.content`
      : sql`case when renewed.store_reasoning then ${json(content.withReasoning)} else ${json(content.plain)} end`
  const { numAffectedRows } = await sql`
    with renewed as (
      update conversations.turn set status = 'in_progress', lease_expires_at = ${lease}
      where completion_id = ${completionId} and owner_id = ${ownerId} and ${open}
      returning item_key, store_reasoning
    )
    update conversations.item i
    set content = ${stored}, status = 'in_progress', incomplete_at = null, incomplete_details = null
    from renewed where i.key = renewed.item_key`.execute(db)
  return Number(numAffectedRows ?? 0) === 1
}

/**
 * Turns answers whose lease ran out into `incomplete`, with what was stored of them. Several processes may do so at once.
 * @returns how many there were
 */
export async function sweepTurns(db: Connection): Promise<number> {
  const { numAffectedRows } = await sql`
    with expired as (
      select completion_id from conversations.turn where lease_expires_at < now()
      order by lease_expires_at limit 500 for update skip locked
    ), swept as (
      update conversations.turn t set status = 'swept', lease_expires_at = null
      from expired where t.completion_id = expired.completion_id
      returning t.item_key
    )
    update conversations.item i
    set status = 'incomplete', incomplete_at = now(), incomplete_details = '{"reason":"interrupted"}'
    from swept where i.key = swept.item_key`.execute(db)
  return Number(numAffectedRows ?? 0)
}
