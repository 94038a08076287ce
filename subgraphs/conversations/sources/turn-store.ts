import { Batches } from '../../../platform/batches.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { newId } from '../../../platform/ids.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import { type ConversationColumns, conversationColumns, conversationRow } from './conversation-row.ts'
import type { ForkRefusal } from './fork-points.ts'
import { itemJson } from './item-json.ts'
import { maxItemsPerBranch } from './item-writes.ts'
import { leaseSeconds, type StoredTurn } from './turns.ts'

/** A turn that is about to be stored, whole or its first half. */
export interface NewTurn {
  readonly completionId: string
  readonly ownerId: string
  /** Null: the turn begins a new conversation. */
  readonly conversationId: string | null
  /** Of a new conversation. */
  readonly referrer: string | null
  /** The active branch when none is named. */
  readonly branch: string | null
  /** The title of a conversation that has none yet. */
  readonly title: string | null
  /** Not stored where the branch ends with this very message already. */
  readonly question: readonly ItemDraft[]
  /** `in_progress` where only the first half is stored: the turn then has a lease. */
  readonly answer: ItemDraft
  readonly calls: readonly ItemDraft[]
  readonly storeReasoning: boolean
  /** Where a new main branch is forked that the turn stands on; null: none is. */
  readonly fork: ForkedAt | null
}

/** The item at which a turn forks. */
export interface ForkedAt {
  readonly itemId: string
  /** Whether the turn's question takes the place of the user's message there; else there is none, and it is asked again. */
  readonly replaces: boolean
}

/** A turn on disk: it is committed. */
export interface TurnPlace extends StoredTurn {
  readonly refusal: null
}

/** Why nothing was stored. */
export type Refusal = 'branch_not_found' | 'conversation_full' | 'branches_full' | ForkRefusal

/**
 * Stores turns. Lives as long as the process: turns that end at the same time are committed together, those of one
 * conversation one after the other, in the order in which they came. Each succeeds or fails alone.
 */
export interface TurnStore {
  /** Rejects with a unique violation, of `turn_pkey` or of the new conversation's id, where the turn is stored already. */
  store(turn: NewTurn): Promise<TurnPlace | { readonly refusal: Refusal }>
}

interface TurnRequest {
  readonly key: string | null
  readonly size: number
  /** The turn's row for the statement, as JSON. */
  readonly row: string
  readonly ids: readonly string[]
  readonly asked: number
}

type TurnAnswer = TurnPlace | { readonly refusal: Refusal }

interface AnswerColumns extends ConversationColumns {
  readonly at: number
  readonly refusal: Refusal | 'conversation_busy' | null
  readonly questionKnown: boolean
  readonly questionId: string | null
  readonly backup: string | null
  readonly activeBranchKey: string
}

const storeStatement = `
  select turn.at::integer, stored.refusal, stored.question_known as "questionKnown",
    stored.question_id as "questionId", stored.backup,
    ${conversationColumns('(stored.conversation)', '(stored.branch)')},
    (stored.conversation).active_branch_key as "activeBranchKey"
  from rows from (json_to_recordset($1::json) as (
    owner uuid, completion text, is_new boolean, conversation_id text, branch text, referrer text, title text, items json,
    asked integer, status text, store_reasoning boolean, fork_item text, replaces boolean
  )) with ordinality as turn (
    owner, completion, is_new, conversation_id, branch, referrer, title, items, asked, status, store_reasoning,
    fork_item, replaces, at
  )
  cross join lateral conversations.store_turn(
    turn.owner, turn.completion, turn.is_new, turn.conversation_id, turn.branch, turn.referrer, turn.title, turn.items,
    turn.asked, turn.status, turn.store_reasoning, ${leaseSeconds}, ${maxItemsPerBranch}, $2,
    turn.fork_item, turn.replaces, $3
  ) stored`

/** One is committed while the next gathers. */
const lanes = 2

/** @param maxBranches how many a conversation may have: a turn that forks is refused beyond */
export function turnStore(database: SubgraphDatabase, maxBranches: number): TurnStore {
  const ask = async (
    requests: readonly TurnRequest[],
    waits: boolean,
  ): Promise<(TurnAnswer | undefined)[]> => {
    const rows = await database.prepared<AnswerColumns>('store_turns', storeStatement, [
      `[${requests.map(({ row }) => row).join(',')}]`,
      waits,
      maxBranches,
    ])
    const answers: (TurnAnswer | undefined)[] = requests.map(() => undefined)
    for (const row of rows) {
      const request = requests[row.at - 1]
      if (request) answers[row.at - 1] = answerOf(request, row)
    }
    return answers
  }
  const batches = new Batches<TurnRequest, TurnAnswer>({
    together: (requests) => ask(requests, false),
    async alone(request) {
      const [answer] = await ask([request], true)
      if (!answer) throw new Error('A turn was neither stored nor refused.')
      return answer
    },
    lanes,
  })
  return { store: (turn) => batches.ask(turnRequest(turn)) }
}

function turnRequest(turn: NewTurn): TurnRequest {
  const { question, answer, calls, conversationId } = turn
  const items = [...question, answer, ...calls].map(itemJson)
  const row = JSON.stringify({
    owner: turn.ownerId,
    completion: turn.completionId,
    is_new: conversationId === null,
    conversation_id: conversationId ?? newId('conversation'),
    branch: turn.branch,
    referrer: turn.referrer,
    title: turn.title,
    items,
    asked: question.length,
    status: answer.status,
    store_reasoning: turn.storeReasoning,
    fork_item: turn.fork?.itemId,
    replaces: turn.fork?.replaces ?? false,
  })
  return {
    key: conversationId,
    size: row.length,
    row,
    ids: items.map(({ public_id }) => public_id),
    asked: question.length,
  }
}

/** Undefined where the conversation was busy: it has to be waited for. */
function answerOf({ ids, asked }: TurnRequest, row: AnswerColumns): TurnAnswer | undefined {
  const { at: _, refusal, questionKnown, questionId, backup, activeBranchKey, ...columns } = row
  if (refusal === 'conversation_busy') return undefined
  if (refusal !== null) return { refusal }
  const assistantItemId = ids[asked]
  if (assistantItemId === undefined) throw new Error('A turn was stored without its answer.')
  return {
    refusal: null,
    conversationId: columns.publicId,
    conversation: columns.branchKey === activeBranchKey ? conversationRow(columns) : null,
    branch: columns.branchName,
    userItemId: questionId ?? (questionKnown ? null : (ids[asked - 1] ?? null)),
    assistantItemId,
    oldMainBackup: backup,
  }
}
