import type { Notifications } from '../../../platform/notifications.ts'
import { projectDeletionsChannel } from '../../../platform/project-deletions.ts'
import { ChangeEvents } from './change-events.ts'
import { type ConversationChange, changesChannel, changesOf, type ItemChange } from './conversation-change.ts'

/** Hands what all processes tell on to the subscriptions of this one. */
export interface ChangeHub {
  /** Changes of an owner's conversations, until the signal aborts. */
  conversationsOf<Event>(
    ownerId: string,
    toEvent: (change: ItemChange) => Event,
    signal: AbortSignal,
  ): ChangeEvents<Event>
  /** Changes of the items of a conversation; ends when it is deleted. */
  itemsOf<Event>(
    ownerId: string,
    conversationId: string,
    toEvent: (change: ItemChange) => Event,
    signal: AbortSignal,
  ): ChangeEvents<Event>
  stop(): void
}

interface Subscriber {
  /** Null: all of the owner's. */
  readonly conversationId: string | null
  readonly events: Pick<ChangeEvents<unknown>, 'push' | 'end'>
}

const resync: ItemChange = { kind: 'RESYNC', id: null }

export function changeHub(notifications: Notifications): ChangeHub {
  const subscribers = new Map<string, Set<Subscriber>>()
  const everybody = () => [...subscribers.values()].flatMap((each) => [...each])
  const receive = (change: ConversationChange) => {
    const concerned = change.ownerId === null ? everybody() : (subscribers.get(change.ownerId) ?? [])
    for (const subscriber of [...concerned]) hand(change, subscriber)
  }
  const unfollow = notifications.follow(changesChannel, (payload) => changesOf(payload).forEach(receive))
  // Any number of conversations may have been in it, and are in none now.
  const unfollowProjects = notifications.follow(projectDeletionsChannel, (ownerId) => {
    for (const { conversationId, events } of subscribers.get(ownerId) ?? [])
      if (conversationId === null) events.push(resync)
  })
  // What was told while the link was down has not been heard.
  const forget = notifications.onChange((connected) => {
    if (connected) for (const { events } of everybody()) events.push(resync)
  })

  const subscribe = <Event>(
    ownerId: string,
    conversationId: string | null,
    toEvent: (change: ItemChange) => Event,
    signal: AbortSignal,
  ) => {
    const ofOwner = subscribers.get(ownerId) ?? new Set()
    const events = new ChangeEvents(toEvent, signal, () => {
      ofOwner.delete(subscriber)
      if (ofOwner.size === 0 && subscribers.get(ownerId) === ofOwner) subscribers.delete(ownerId)
    })
    const subscriber: Subscriber = { conversationId, events }
    subscribers.set(ownerId, ofOwner.add(subscriber))
    if (signal.aborted) events.end()
    return events
  }

  return {
    conversationsOf: (ownerId, toEvent, signal) => subscribe(ownerId, null, toEvent, signal),
    itemsOf: (ownerId, conversationId, toEvent, signal) =>
      subscribe(ownerId, conversationId, toEvent, signal),
    stop() {
      unfollow()
      unfollowProjects()
      forget()
      for (const { events } of everybody()) events.end()
    },
  }
}

function hand({ conversationId, kind, items }: ConversationChange, subscriber: Subscriber): void {
  const { events } = subscriber
  if (subscriber.conversationId === null) {
    if (kind !== null)
      events.push(kind === 'RESYNC' || conversationId === null ? resync : { kind, id: conversationId })
    return
  }
  if (conversationId !== null && conversationId !== subscriber.conversationId) return
  for (const item of items) events.push(item)
  if (kind === 'DELETED') events.end()
  else if (conversationId === null) events.push(resync)
}
