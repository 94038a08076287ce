import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { Block } from '../content/blocks.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import {
  type ConversationColumns,
  type ConversationRow,
  conversationColumns,
  conversationRow,
} from './conversation-row.ts'
import { itemJson } from './item-json.ts'
import { type Connection, json, jsonText } from './transaction.ts'

/**
 * How long an answer in progress lives without a sign of life. Models send one every two or three seconds; after a crash
 * the answer reads as `incomplete` this much later, plus one interval of the sweeper.
 */
export const leaseSeconds = 10

/** How a turn ends. */
export type TurnEnd = 'completed' | 'incomplete' | 'failed'

/** What is told of an answer when it ends, beside its content. */
export interface TurnClosing {
  readonly status: TurnEnd
  readonly finishReason: string | null
  readonly usage: unknown
  readonly incompleteDetails: unknown
}

/** What is stored of an answer, whichever way its turn was begun. */
export interface AnswerContents {
  readonly plain: readonly Block[]
  readonly withReasoning: readonly Block[]
}

/** The end of a turn that had begun. */
export interface TurnEnding extends TurnClosing {
  readonly contents: AnswerContents
  /** Those that it leaves open. */
  readonly calls: readonly ItemDraft[]
}

/** A turn that is stored, as the graph tells it. */
export interface StoredTurn {
  readonly conversationId: string
  /** As storing left it; null where it has to be read. */
  readonly conversation: ConversationRow | null
  readonly userItemId: string | null
  readonly assistantItemId: string
  readonly branch: string
  /** The name that the former main branch is kept under, where storing has just forked. */
  readonly oldMainBackup: string | null
}

const lease = sql`now() + make_interval(secs => ${sql.lit(leaseSeconds)})`
const open = sql`status in ('in_progress', 'swept')`

/** The owner's turn of that completion; null when there is none. */
export async function findTurn(
  db: Connection,
  ownerId: string,
  completionId: string,
): Promise<StoredTurn | null> {
  const { rows } = await sql<Omit<StoredTurn, 'conversation' | 'oldMainBackup'>>`
    select c.public_id as "conversationId", b.name as branch, t.user_item_id as "userItemId",
      t.assistant_item_id as "assistantItemId"
    from conversations.turn t
    join conversations.conversation c on c.key = t.conversation_key
    join conversations.branch b on b.key = t.branch_key
    where t.completion_id = ${completionId} and t.owner_id = ${ownerId}`.execute(db)
  return rows[0] ? { ...rows[0], conversation: null, oldMainBackup: null } : null
}

interface FinishedColumns extends ConversationColumns {
  readonly userItemId: string | null
  readonly assistantItemId: string
  readonly branch: string
}

const finishStatement = `
  select ${conversationColumns('(done.conversation)', '(done.active_branch)')}, done.branch,
    (done.turn).user_item_id as "userItemId", (done.turn).assistant_item_id as "assistantItemId"
  from conversations.finish_turn($1, $2, $3, $4, $5, $6, $7, $8, $9) done`

/**
 * Stores an answer's end, unless it has one already, and the tool calls that it leaves open.
 * @returns null when the owner has no such turn
 */
export async function finishTurn(
  database: SubgraphDatabase,
  ownerId: string,
  completionId: string,
  { status, contents, calls, finishReason, usage, incompleteDetails }: TurnEnding,
): Promise<StoredTurn | null> {
  const [row] = await database.prepared<FinishedColumns>('finish_turn', finishStatement, [
    ownerId,
    completionId,
    status,
    JSON.stringify(contents.plain),
    JSON.stringify(contents.withReasoning),
    finishReason,
    jsonText(usage),
    jsonText(incompleteDetails),
    JSON.stringify(calls.map(itemJson)),
  ])
  if (!row) return null
  const { userItemId, assistantItemId, branch, ...columns } = row
  const conversation = conversationRow(columns)
  return {
    conversationId: conversation.publicId,
    conversation,
    userItemId,
    assistantItemId,
    branch,
    oldMainBackup: null,
  }
}

/** Where an answer stands. */
export interface AnswerPlace {
  readonly conversationId: string
  readonly itemId: string
}

/** An answer that nobody writes any more. */
export interface SweptAnswer extends AnswerPlace {
  readonly ownerId: string
}

/**
 * Renews the lease and stores the answer so far. A turn that was swept though its writer lives is taken up again.
 * @param content what to store, without and with reasoning; null leaves what is there
 * @returns null when the turn is unknown or has ended
 */
export async function checkpointTurn(
  db: Connection,
  ownerId: string,
  completionId: string,
  content: AnswerContents | null,
): Promise<AnswerPlace | null> {
  const stored =
    content === null
      ? sql`i.content`
      : sql`case when renewed.store_reasoning then ${json(content.withReasoning)} else ${json(content.plain)} end`
  const { rows } = await sql<AnswerPlace>`
    with renewed as (
      update conversations.turn set status = 'in_progress', lease_expires_at = ${lease}
      where completion_id = ${completionId} and owner_id = ${ownerId} and ${open}
      returning item_key, store_reasoning, conversation_key, assistant_item_id
    )
    update conversations.item i
    set content = ${stored}, status = 'in_progress', incomplete_at = null, incomplete_details = null
    from renewed where i.key = renewed.item_key
    returning renewed.assistant_item_id as "itemId",
      (select public_id from conversations.conversation c where c.key = renewed.conversation_key) as "conversationId"`.execute(
    db,
  )
  return rows[0] ?? null
}

/**
 * Turns answers whose lease ran out into `incomplete`, with what was stored of them. Several processes may do so at once.
 * @returns those that there were
 */
export async function sweepTurns(db: Connection): Promise<readonly SweptAnswer[]> {
  const { rows } = await sql<SweptAnswer>`
    with expired as (
      select completion_id from conversations.turn where lease_expires_at < now()
      order by lease_expires_at limit 500 for update skip locked
    ), swept as (
      update conversations.turn t set status = 'swept', lease_expires_at = null
      from expired where t.completion_id = expired.completion_id
      returning t.item_key, t.owner_id, t.conversation_key, t.assistant_item_id
    )
    update conversations.item i
    set status = 'incomplete', incomplete_at = now(), incomplete_details = '{"reason":"interrupted"}'
    from swept where i.key = swept.item_key
    returning swept.owner_id as "ownerId", swept.assistant_item_id as "itemId",
      (select public_id from conversations.conversation c where c.key = swept.conversation_key) as "conversationId"`.execute(
    db,
  )
  return rows
}
