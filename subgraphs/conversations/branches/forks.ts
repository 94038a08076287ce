import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import { editedMessage } from '../content/edited-message.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type {
  EditItemInput,
  PrepareRegenerationInput,
  TurnForkInput,
  TurnForkPointInput,
} from '../schema.generated.ts'
import { conversationNotFound } from '../service/conversations.ts'
import { itemNotFound } from '../service/items.ts'
import { branchesFull, forkToMain, lastItemId, mainBranch } from '../sources/branch-writes.ts'
import { lockConversation } from '../sources/conversation-writes.ts'
import {
  type ForkPoint,
  type ForkRefusal,
  type ForkRequest,
  forkPoint,
  lastModelId,
} from '../sources/fork-points.ts'
import type { ItemRow } from '../sources/item-row.ts'
import { appendItems, conversationFull, maxItemsPerBranch } from '../sources/item-writes.ts'
import type { ItemSource } from '../sources/items.ts'
import { type Connection, connection, transaction } from '../sources/transaction.ts'

/** A new main branch that ends with a user's message. */
export interface PreparedBranch {
  readonly userItem: ItemRow
  readonly branch: string
  readonly oldMainBackup: string
}

/** A fork that a turn is to be stored on. */
export interface TurnFork {
  readonly itemId: string
  /** The message that takes the place of the one there; null where it is asked as it is. */
  readonly edited: ItemDraft | null
}

/** What the rules of forks need. */
export interface ForkScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly items: ItemSource
  readonly changes: Pick<ChangePublisher, 'tell'>
  /** How many branches a conversation may have. */
  readonly maxBranches: number
}

/** Edits and regenerations as far as they are conversations' work (contract 3.3, 3.4): nothing is lost, the former main branch is kept. */
export function forkService({ actor, database, items, changes, maxBranches }: ForkScope) {
  const owner = () => requireActor(actor).id

  const promoted = async (
    request: Omit<ForkRequest, 'ownerId'>,
    work: (db: Connection, point: ForkPoint) => Promise<{ itemId: string; backup: string }>,
  ): Promise<PreparedBranch> => {
    const ownerId = owner()
    const { itemId, backup } = await transaction(database, async (db) => {
      if (!(await lockConversation(db, ownerId, request.conversationId))) conversationNotFound()
      const point = found(await forkPoint(db, { ...request, ownerId }))
      if (point.branches >= maxBranches) branchesFull(maxBranches)
      return work(db, point)
    })
    const { conversationId } = request
    changes.tell({ ownerId, conversationId, kind: 'UPDATED', items: [{ kind: 'RESYNC', id: null }] })
    const userItem = (await items.byId(ownerId, itemId)) ?? itemNotFound()
    return { userItem, branch: mainBranch, oldMainBackup: backup }
  }

  return {
    /** @throws AppError `conversation_not_found`, `item_not_found`, `invalid_parameter`, `input_too_large`, `conversation_full` */
    edit: ({ conversationId, itemId, content }: EditItemInput): Promise<PreparedBranch> =>
      promoted({ conversationId, itemId, replaces: true }, async (db, { conversationKey, cut, question }) => {
        const draft = editedMessage(question, content)
        const { branchKey, backup } = await forkToMain(db, cut)
        const [added] = await appendItems(db, { conversationKey, branchKey }, [draft])
        if (!added) throw new Error('An edited message was not stored.')
        return { itemId: added.publicId, backup }
      }),

    /** @throws AppError `conversation_not_found`, `item_not_found`, `invalid_parameter`, `conversation_full` */
    prepareRegeneration: ({ conversationId, itemId }: PrepareRegenerationInput): Promise<PreparedBranch> =>
      promoted({ conversationId, itemId, replaces: false }, async (db, { cut }) => {
        if (cut.upTo > maxItemsPerBranch) conversationFull()
        const { branchKey, backup } = await forkToMain(db, cut)
        return { itemId: (await lastItemId(db, branchKey)) ?? itemNotFound(), backup }
      }),

    /** @throws AppError `invalid_id`, `conversation_not_found`, `item_not_found`, `invalid_parameter` */
    async lastModel({ conversationId, itemId }: TurnForkPointInput): Promise<{ lastModelId: string | null }> {
      assertIdShape('conversation', conversationId, 'conversation')
      const db = connection(database)
      const point = found(await forkPoint(db, { ownerId: owner(), conversationId, itemId, replaces: false }))
      return { lastModelId: await lastModelId(db, point.conversationKey) }
    },
  }
}

/** The service of one request. */
export type ForkService = ReturnType<typeof forkService>

/** Where a turn's fork begins as things stand, the message that it brings, and how many branches there are already. @throws AppError */
export async function turnForkPoint(
  database: SubgraphDatabase,
  ownerId: string,
  conversationId: string,
  { itemId, content }: TurnForkInput,
): Promise<Pick<ForkPoint, 'cut' | 'branches'> & { fork: TurnFork }> {
  const replaces = content != null
  const { cut, question, branches } = found(
    await forkPoint(connection(database), { ownerId, conversationId, itemId, replaces }),
  )
  return {
    cut,
    branches,
    fork: { itemId, edited: content == null ? null : editedMessage(question, content) },
  }
}

function found(point: ForkPoint | { readonly refusal: ForkRefusal }): ForkPoint {
  return point.refusal === null ? point : refuseFork(point.refusal)
}

/** The one answer for what can't be asked again. */
export function refuseFork(refusal: ForkRefusal): never {
  if (refusal === 'conversation_not_found') return conversationNotFound()
  if (refusal === 'item_not_found') return itemNotFound()
  throw new AppError(
    'invalid_parameter',
    'Only messages of users can be edited, only they and the answers to them regenerated.',
    { param: 'item_id' },
  )
}
