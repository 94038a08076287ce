import { sql } from 'kysely'
import type { Block } from '../content/blocks.ts'
import type { ItemDetails } from '../content/item-draft.ts'

/** An item at its place in a branch. Moments are PostgreSQL's text. */
export interface ItemRow {
  readonly publicId: string
  readonly key: string
  readonly conversationKey: string
  readonly branch: string
  readonly position: number
  readonly type: string
  readonly role: string | null
  readonly status: string
  readonly content: readonly Block[]
  readonly modelId: string | null
  readonly callId: string | null
  readonly details: ItemDetails
  readonly finishReason: string | null
  readonly usage: unknown
  readonly incompleteDetails: unknown
  readonly rating: 'like' | 'unlike' | null
  readonly ratedAt: string | null
  readonly ratingComment: string | null
  readonly createdAt: string
  readonly completedAt: string | null
  readonly incompleteAt: string | null
}

/** The columns that come from `conversations.item i`. */
export const itemColumnsText = `
  i.key, i.conversation_key as "conversationKey", i.type, i.role, i.status, i.content, i.model_id as "modelId",
  i.call_id as "callId", i.details, i.finish_reason as "finishReason", i.usage,
  i.incomplete_details as "incompleteDetails", i.rating, i.rated_at as "ratedAt",
  i.rating_comment as "ratingComment", i.created_at as "createdAt", i.completed_at as "completedAt",
  i.incomplete_at as "incompleteAt"`

/** The same for Kysely. */
export const itemColumns = sql.raw(itemColumnsText)
