import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import type { ChangeHub } from './change-hub.ts'
import type { ChangeKind, ItemChange } from './conversation-change.ts'

/** An event of a live list, as the graph tells it. */
export interface LiveEvent {
  readonly type: ChangeKind
  readonly id: string | null
}

/** What the rules of live lists need. */
export interface LiveScope {
  readonly actor: Actor | null
  readonly signal: AbortSignal
  readonly hub: ChangeHub
  /** @throws AppError `conversation_not_found` */
  readonly existing: (id: string) => Promise<ConversationRow>
}

/** The rules of live lists: everybody hears of their own conversations. They end when the request's signal aborts. */
export function liveService({ actor, signal, hub, existing }: LiveScope) {
  return {
    conversations: (): AsyncIterable<{ conversationChanged: LiveEvent }> =>
      hub.conversationsOf(
        requireActor(actor).id,
        (change) => ({ conversationChanged: liveEvent(change) }),
        signal,
      ),

    /** @throws AppError `conversation_not_found` */
    async items(conversationId: string): Promise<AsyncIterable<{ itemChanged: LiveEvent }>> {
      const ownerId = requireActor(actor).id
      // subscribed first: a deletion in between is not missed
      const toEvent = (change: ItemChange) => ({ itemChanged: liveEvent(change) })
      const events = hub.itemsOf(ownerId, conversationId, toEvent, signal)
      try {
        await existing(conversationId)
      } catch (error) {
        events.end()
        throw error
      }
      return events
    },
  }
}

/** The service of one request. */
export type LiveService = ReturnType<typeof liveService>

function liveEvent({ kind, id }: ItemChange): LiveEvent {
  return { type: kind, id }
}
