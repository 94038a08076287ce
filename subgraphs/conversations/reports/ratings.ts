import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { optionalText } from '../../../platform/text.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { RateItemInput, UnrateItemInput } from '../schema.generated.ts'
import { conversationNotFound } from '../service/conversations.ts'
import { itemNotFound } from '../service/items.ts'
import { findItem } from '../sources/branch-writes.ts'
import { lockConversation } from '../sources/conversation-writes.ts'
import type { ItemRow } from '../sources/item-row.ts'
import { type ItemOpinion, rateItem } from '../sources/item-writes.ts'
import type { ItemSource } from '../sources/items.ts'
import { transaction } from '../sources/transaction.ts'

const maxCommentLength = 2_000

/** What the rules of ratings need. */
export interface RatingScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly items: ItemSource
  readonly changes: Pick<ChangePublisher, 'tell'>
}

/** What people think of items: told of the content, so that it holds on every branch. */
export function ratingService({ actor, database, items, changes }: RatingScope) {
  const written = async (
    { conversationId, itemId }: UnrateItemInput,
    opinion: ItemOpinion | null,
  ): Promise<ItemRow> => {
    const ownerId = requireActor(actor).id
    await transaction(database, async (db) => {
      const conversation = (await lockConversation(db, ownerId, conversationId)) ?? conversationNotFound()
      const { itemKey } = (await findItem(db, conversation, itemId)) ?? itemNotFound()
      await rateItem(db, itemKey, opinion)
    })
    items.clearLoaders()
    changes.tell({ ownerId, conversationId, kind: null, items: [{ kind: 'UPDATED', id: itemId }] })
    return (await items.byId(ownerId, itemId)) ?? itemNotFound()
  }

  return {
    /** @throws AppError `conversation_not_found`, `item_not_found`, `invalid_parameter` */
    async rate({ rating, comment, ...of }: RateItemInput): Promise<ItemRow> {
      const note = optionalText(comment, { param: 'comment', max: maxCommentLength })
      return written(of, { rating: rating === 'LIKE' ? 'like' : 'unlike', comment: note })
    },

    /** @throws AppError `conversation_not_found`, `item_not_found` */
    unrate: (of: UnrateItemInput): Promise<ItemRow> => written(of, null),
  }
}

/** The service of one request. */
export type RatingService = ReturnType<typeof ratingService>
