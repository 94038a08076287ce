import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { assertIdShape, hasIdShape } from '../../../platform/ids.ts'
import { isUniqueViolation } from '../../../platform/postgres-errors.ts'
import { refuseFork, type TurnFork, turnForkPoint } from '../branches/forks.ts'
import { plainText } from '../content/blocks.ts'
import { chatMessages, type HistoryItem } from '../content/chat-messages.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import { answerContent, requestDrafts, storableText, toolCallDrafts } from '../content/message-drafts.ts'
import { titleFromText } from '../content/title.ts'
import type { ChatMessage } from '../content/tool-pairing.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { ItemChange } from '../live/conversation-change.ts'
import type {
  AppendTurnInput,
  BeginTurnInput,
  CheckpointTurnInput,
  FinishTurnInput,
  TurnContextInput,
} from '../schema.generated.ts'
import { branchesFull, branchName, isStorableName } from '../sources/branch-writes.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import { conversationFull } from '../sources/item-writes.ts'
import { connection } from '../sources/transaction.ts'
import type { HistorySource } from '../sources/turn-history.ts'
import type { NewTurn, Refusal, TurnStore } from '../sources/turn-store.ts'
import {
  type AnswerContents,
  checkpointTurn,
  findTurn,
  finishTurn,
  type StoredTurn,
  type TurnClosing,
  type TurnEnd,
} from '../sources/turns.ts'
import { conversationNotFound, givenReferrer } from './conversations.ts'
import { branchNotFound } from './items.ts'

/** A conversation as a completion sees it. */
export interface TurnContext {
  readonly conversation: ConversationRow
  readonly branch: string
  readonly messages: readonly ChatMessage[]
}

/** What the rules of turns need. */
export interface TurnScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly histories: HistorySource
  readonly store: TurnStore
  readonly changes: Pick<ChangePublisher, 'tell' | 'tellGrowth'>
  /** How many branches a conversation may have. */
  readonly maxBranches: number
}

/** How completions read and write conversations (contract 2.1, persistence). Each operation is one transaction. */
export function turnService({ actor, database, histories, store, changes, maxBranches }: TurnScope) {
  const owner = () => requireActor(actor).id

  const finish = async (input: FinishTurnInput): Promise<StoredTurn> => {
    const ending = {
      ...closingOf(input),
      contents: answerContents(input.message),
      calls: toolCallDrafts(input.message),
    }
    const finished = (await finishTurn(database, owner(), input.completionId, ending)) ?? turnNotFound()
    const { conversationId, assistantItemId } = finished
    const items = changedItems('UPDATED', [assistantItemId], ending.calls)
    changes.tell({ ownerId: owner(), conversationId, kind: 'UPDATED', items })
    return finished
  }

  /** @param again what to do when that completion has a turn already */
  const begun = async (turn: NewTurn, again: () => Promise<StoredTurn>): Promise<StoredTurn> => {
    const { conversationId } = turn
    if (conversationId !== null) assertIdShape('conversation', conversationId, 'conversation')
    try {
      const stored = await store.store(turn)
      if (stored.refusal === 'branches_full') return branchesFull(maxBranches)
      if (stored.refusal !== null) return refuse(stored.refusal)
      const { userItemId, assistantItemId } = stored
      changes.tell({
        ownerId: turn.ownerId,
        conversationId: stored.conversationId,
        kind: conversationId === null ? 'CREATED' : 'UPDATED',
        // a fork has new ids throughout
        items: turn.fork
          ? [{ kind: 'RESYNC', id: null }]
          : changedItems('CREATED', [userItemId, assistantItemId], turn.calls),
      })
      return stored
    } catch (error) {
      if (isStoredAlready(error)) return again()
      throw error
    }
  }

  /** What a turn's fork brings is read before: a message never changes. Where it stands is found again when it is stored. */
  const forkOf = async (
    ownerId: string,
    { conversationId, fork }: Pick<BeginTurnInput, 'conversationId' | 'fork'>,
  ): Promise<TurnFork | null> => {
    if (!fork) return null
    if (conversationId == null) return conversationNotFound('conversation')
    if (fork.content == null) return { itemId: fork.itemId, edited: null }
    return (await turnForkPoint(database, ownerId, conversationId, fork)).fork
  }

  return {
    /** @throws AppError `invalid_id`, `conversation_not_found`, `not_found` naming `conversation.branch`, and as forks do */
    async context({
      conversationId,
      branch: name,
      openCalls,
      fork: wanted,
    }: TurnContextInput): Promise<TurnContext> {
      assertIdShape('conversation', conversationId, 'conversation')
      const ownerId = owner()
      const forked = wanted ? await turnForkPoint(database, ownerId, conversationId, wanted) : null
      if (forked && forked.branches >= maxBranches) return branchesFull(maxBranches)
      const history =
        (await histories.read(ownerId, conversationId, forked?.cut ?? name ?? null)) ??
        conversationNotFound('conversation')
      const { conversation, branch, items } = history
      if (branch === null) return branchNotFound('conversation.branch')
      const edited = forked?.fork.edited
      const all = edited ? [...items, asHistory(edited)] : items
      return { conversation, branch, messages: chatMessages(all, openCalls ?? null) }
    },

    /**
     * The caller's message and an answer `in_progress` under a lease. A second call with the same completion id gives the first one's turn.
     * @throws AppError `invalid_id`, `conversation_not_found`, `not_found` naming `conversation.branch`, `conversation_full`
     */
    async begin(input: BeginTurnInput): Promise<StoredTurn> {
      const ownerId = owner()
      const answer = { status: 'in_progress', content: [] }
      return begun(
        newTurn(ownerId, input, answer, [], await forkOf(ownerId, input)),
        async () => (await findTurn(connection(database), ownerId, input.completionId)) ?? turnNotFound(),
      )
    },

    /** False when the turn is unknown or has ended. */
    async checkpoint({ completionId, message }: CheckpointTurnInput): Promise<boolean> {
      const ownerId = owner()
      const content = message == null ? null : answerContents(message)
      const place = await checkpointTurn(connection(database), ownerId, completionId, content)
      if (place !== null && content !== null) changes.tellGrowth({ ownerId, ...place })
      return place !== null
    },

    /** Idempotent; wins over an expired lease. @throws AppError `not_found` when no such turn began */
    finish,

    /** Both halves at once; finishes the turn when it had begun. @throws AppError as `begin` does */
    async append(input: AppendTurnInput): Promise<StoredTurn> {
      const answer = wholeAnswer(input, input.storeReasoning ?? false)
      const ownerId = owner()
      const fork = await forkOf(ownerId, input)
      return begun(newTurn(ownerId, input, answer, toolCallDrafts(input.message), fork), () => finish(input))
    },
  }
}

/** The service of one request. */
export type TurnService = ReturnType<typeof turnService>

function newTurn(
  ownerId: string,
  { completionId, conversationId, branch, referrer, modelId, userMessage, storeReasoning }: BeginTurnInput,
  answer: Pick<ItemDraft, 'status' | 'content'>,
  calls: readonly ItemDraft[],
  fork: TurnFork | null,
): NewTurn {
  const question = fork ? editOf(fork) : userMessage == null ? [] : requestDrafts(userMessage)
  return {
    completionId,
    ownerId,
    conversationId: conversationId ?? null,
    referrer: conversationId == null ? givenReferrer(referrer) : null,
    branch: branch == null ? null : storableBranch(branch),
    title: titleOf(question),
    question,
    answer: { type: 'message', role: 'assistant', modelId, ...answer },
    calls,
    storeReasoning: storeReasoning ?? false,
    fork: fork && { itemId: forkItem(fork), replaces: fork.edited !== null },
  }
}

function editOf({ edited }: TurnFork): readonly ItemDraft[] {
  return edited === null ? [] : [edited]
}

/** PostgreSQL refuses to be asked for some ids; no item has the empty one. */
function forkItem({ itemId }: TurnFork): string {
  return hasIdShape('item', itemId) ? itemId : ''
}

function asHistory({ type, role, content, callId, details }: ItemDraft): HistoryItem {
  return { type, role, content, callId: callId ?? null, details: details ?? {} }
}

/** Tool calls are told by no ids. */
function changedItems(
  kind: ItemChange['kind'],
  ids: readonly (string | null)[],
  calls: readonly ItemDraft[],
): readonly ItemChange[] {
  if (calls.length > 0) return [{ kind: 'RESYNC', id: null }]
  return ids.flatMap((id) => (id === null ? [] : [{ kind, id }]))
}

function storableBranch(name: string): string {
  return isStorableName(name) ? branchName(name) : branchNotFound('conversation.branch')
}

/** Contract 2.4, the rule without a model: an untitled conversation is named after the first thing that its user says. */
function titleOf(question: readonly ItemDraft[]): string | null {
  const said = question.find(({ role }) => role === 'user')
  return said ? titleFromText(plainText(said.content)) : null
}

function wholeAnswer(input: FinishTurnInput, storeReasoning: boolean) {
  return { ...closingOf(input), content: answerContent(input.message, storeReasoning) }
}

function answerContents(message: unknown): AnswerContents {
  return { plain: answerContent(message, false), withReasoning: answerContent(message, true) }
}

function closingOf(input: FinishTurnInput): TurnClosing {
  const status = input.status.toLowerCase() as TurnEnd
  const reason = input.incompleteReason ?? (status === 'failed' ? 'error' : 'interrupted')
  return {
    status,
    finishReason: storableText(input.finishReason),
    usage: input.usage ?? null,
    incompleteDetails:
      status === 'completed' ? null : { reason, ...(input.error == null ? {} : { error: input.error }) },
  }
}

/** Where the answer to the first attempt was lost, the second finds the conversation that the first began. */
function isStoredAlready(error: unknown): boolean {
  return isUniqueViolation(error, 'turn_pkey') || isUniqueViolation(error, 'conversation_public_id_key')
}

function refuse(refusal: Exclude<Refusal, 'branches_full'>): never {
  if (refusal === 'branch_not_found') return branchNotFound('conversation.branch')
  if (refusal === 'item_not_found' || refusal === 'item_unsuitable') return refuseFork(refusal)
  return refusal === 'conversation_full' ? conversationFull() : conversationNotFound('conversation')
}

function turnNotFound(): never {
  throw new AppError('not_found', 'There is no such turn.', { param: 'completionId' })
}
