import { type Actor, requireActor } from '../../../platform/actor.ts'
import { isUniqueViolation, type SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import { type Block, plainText } from '../content/blocks.ts'
import { chatMessages } from '../content/chat-messages.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import { answerContent, requestDrafts, toolCallDrafts } from '../content/message-drafts.ts'
import { isUntitled, titleFromText } from '../content/title.ts'
import type { ChatMessage } from '../content/tool-pairing.ts'
import type { Conversation } from '../entities.ts'
import type {
  AppendTurnInput,
  BeginTurnInput,
  CheckpointTurnInput,
  FinishTurnInput,
  TurnContextInput,
} from '../schema.generated.ts'
import { type BranchTail, branchTail } from '../sources/branch-writes.ts'
import {
  changeConversation,
  createConversation,
  type LockedConversation,
  lockConversation,
} from '../sources/conversation-writes.ts'
import type { ConversationSource } from '../sources/conversations.ts'
import type { ItemRow } from '../sources/item-row.ts'
import { appendItems } from '../sources/item-writes.ts'
import type { ItemSource } from '../sources/items.ts'
import { type Connection, connection, transaction } from '../sources/transaction.ts'
import {
  type Answer,
  checkpointTurn,
  endTurn,
  findTurn,
  insertTurn,
  lockConversationOfTurn,
  type TurnEnd,
  type TurnRow,
} from '../sources/turns.ts'
import { conversationNotFound, givenReferrer } from './conversations.ts'
import { branchNotFound } from './items.ts'

/** What a completion may be told of the past: as much as a request may carry (contract 3.1). */
const maxHistoryBytes = 32 * 1024 * 1024

/** A turn on disk, as the graph tells it. */
export interface StoredTurn {
  readonly conversationId: string
  readonly userItemId: string | null
  readonly assistantItemId: string
  readonly branch: string
}

/** A conversation as a completion sees it. */
export interface TurnContext {
  readonly conversation: Conversation
  readonly branch: string
  readonly messages: readonly ChatMessage[]
}

/** What the rules of turns need. */
export interface TurnScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly conversations: ConversationSource
  readonly items: ItemSource
}

/** How completions read and write conversations (contract 2.1, persistence). Each operation is one transaction. */
export function turnService({ actor, database, conversations, items }: TurnScope) {
  const owner = () => requireActor(actor).id

  const finish = async (input: FinishTurnInput): Promise<StoredTurn> => {
    const ownerId = owner()
    return transaction(database, async (db) => {
      await lockConversationOfTurn(db, ownerId, input.completionId)
      const turn = (await findTurn(db, ownerId, input.completionId)) ?? turnNotFound()
      const ended = await endTurn(db, turn.completionId, answerOf(input, turn.storeReasoning))
      if (ended) await appendItems(db, { ...turn, beyondLimit: true }, toolCallDrafts(input.message))
      return storedTurn(turn)
    })
  }

  return {
    /** @throws AppError `invalid_id`, `conversation_not_found`, `not_found` naming `conversation.branch` */
    async context({ conversationId, branch: name, openCalls }: TurnContextInput): Promise<TurnContext> {
      assertIdShape('conversation', conversationId, 'conversation')
      const conversation =
        (await conversations.byId(owner(), conversationId)) ?? conversationNotFound('conversation')
      const active = conversation.activeBranch
      const isActive = name == null || name === active.name
      const branch = isActive
        ? active
        : ((await items.branch(conversation.key, name)) ?? branchNotFound('conversation.branch'))
      const history = branch.itemCount === 0 ? [] : await items.history(branch.key, maxHistoryBytes)
      return { conversation, branch: branch.name, messages: chatMessages(history, openCalls ?? null) }
    },

    /**
     * The caller's message and an answer `in_progress` under a lease. A second call with the same completion id gives the first one's turn.
     * @throws AppError `invalid_id`, `conversation_not_found`, `not_found` naming `conversation.branch`, `conversation_full`
     */
    async begin(input: BeginTurnInput): Promise<StoredTurn> {
      const ownerId = owner()
      const answer: ItemDraft = {
        type: 'message',
        role: 'assistant',
        status: 'in_progress',
        content: [],
        modelId: input.modelId,
      }
      try {
        return await transaction(database, (db) => storeTurn(db, ownerId, input, answer, []))
      } catch (error) {
        if (!isUniqueViolation(error, 'turn_pkey')) throw error
        return storedTurn(
          (await findTurn(connection(database), ownerId, input.completionId)) ?? turnNotFound(),
        )
      }
    },

    /** False when the turn is unknown or has ended. */
    checkpoint({ completionId, message }: CheckpointTurnInput): Promise<boolean> {
      const content =
        message == null
          ? null
          : { plain: answerContent(message, false), withReasoning: answerContent(message, true) }
      return checkpointTurn(connection(database), owner(), completionId, content)
    },

    /** Idempotent; wins over an expired lease. @throws AppError `not_found` when no such turn began */
    finish,

    /** Both halves at once; finishes the turn when it had begun. @throws AppError as `begin` does */
    async append(input: AppendTurnInput): Promise<StoredTurn> {
      const ownerId = owner()
      const answer = answerOf(input, input.storeReasoning ?? false)
      const draft: ItemDraft = { type: 'message', role: 'assistant', modelId: input.modelId, ...answer }
      try {
        return await transaction(database, (db) =>
          storeTurn(db, ownerId, input, draft, toolCallDrafts(input.message)),
        )
      } catch (error) {
        if (!isUniqueViolation(error, 'turn_pkey')) throw error
        return finish(input)
      }
    },
  }
}

/** The service of one request. */
export type TurnService = ReturnType<typeof turnService>

async function storeTurn(
  db: Connection,
  ownerId: string,
  input: BeginTurnInput,
  answer: ItemDraft,
  calls: readonly ItemDraft[],
): Promise<StoredTurn> {
  const conversation = await conversationOf(db, ownerId, input)
  const branch =
    (await branchTail(db, conversation, input.branch ?? null)) ?? branchNotFound('conversation.branch')
  const asked = input.userMessage == null ? [] : requestDrafts(input.userMessage)
  const fresh = endsWith(branch, asked) ? [] : asked
  const target = { conversationKey: conversation.key, branchKey: branch.key }
  const stored = await appendItems(db, target, [...fresh, answer, ...calls])
  const turn = turnOf(stored, fresh.length, {
    ...target,
    conversationId: conversation.id,
    branch: branch.name,
  })
  await insertTurn(db, {
    ...turn,
    completionId: input.completionId,
    ownerId,
    storeReasoning: input.storeReasoning ?? false,
    status: answer.status as TurnEnd | 'in_progress',
  })
  await titleOnce(db, conversation, asked)
  return storedTurn(turn)
}

async function conversationOf(
  db: Connection,
  ownerId: string,
  { conversationId, referrer }: BeginTurnInput,
): Promise<LockedConversation> {
  if (conversationId == null) {
    return createConversation(db, ownerId, {
      title: null,
      metadata: {},
      referrer: givenReferrer(referrer),
      projectId: null,
    })
  }
  assertIdShape('conversation', conversationId, 'conversation')
  return (await lockConversation(db, ownerId, conversationId)) ?? conversationNotFound('conversation')
}

/** After a regeneration was prepared the branch ends with the very message that is sent again: it is not stored twice. */
function endsWith({ lastRole, lastContent }: BranchTail, asked: readonly ItemDraft[]): boolean {
  const [only] = asked
  if (asked.length !== 1 || only?.role !== 'user' || lastRole !== 'user') return false
  return JSON.stringify(lastContent) === JSON.stringify(only.content)
}

function turnOf(
  stored: readonly ItemRow[],
  askedCount: number,
  place: Pick<TurnRow, 'conversationKey' | 'conversationId' | 'branchKey' | 'branch'>,
) {
  const answer = stored[askedCount]
  if (!answer) throw new Error('A turn was stored without its answer.')
  return {
    ...place,
    itemKey: answer.key,
    userItemId: askedCount === 0 ? null : (stored[askedCount - 1]?.publicId ?? null),
    assistantItemId: answer.publicId,
  }
}

/** Contract 2.4, the rule without a model: an untitled conversation is named after the first thing that its user says. */
async function titleOnce(
  db: Connection,
  { key, title }: LockedConversation,
  asked: readonly ItemDraft[],
): Promise<void> {
  if (!isUntitled(title)) return
  const said = asked.find(({ role }) => role === 'user')
  const derived = said ? titleFromText(plainText(said.content)) : null
  if (derived !== null) await changeConversation(db, key, { title: derived })
}

function answerOf(input: FinishTurnInput, storeReasoning: boolean): Answer {
  const status = input.status.toLowerCase() as TurnEnd
  const content: Block[] = answerContent(input.message, storeReasoning)
  const reason = input.incompleteReason ?? (status === 'failed' ? 'error' : 'interrupted')
  return {
    status,
    content,
    finishReason: input.finishReason ?? null,
    usage: input.usage ?? null,
    incompleteDetails:
      status === 'completed' ? null : { reason, ...(input.error == null ? {} : { error: input.error }) },
  }
}

function storedTurn({ conversationId, userItemId, assistantItemId, branch }: StoredTurn): StoredTurn {
  return { conversationId, userItemId, assistantItemId, branch }
}

function turnNotFound(): never {
  throw new AppError('not_found', 'There is no such turn.', { param: 'completionId' })
}
