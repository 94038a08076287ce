import type { Logger } from '../../../platform/log.ts'
import type { Notifications } from '../../../platform/notifications.ts'
import { CoalescedChanges, mergedKind } from './coalesced-changes.ts'
import { type ConversationChange, changesChannel, payloadsOf } from './conversation-change.ts'

/** What is committed within so long is told at once. */
const collectMs = 50
/** How often is told of an answer that it grows. */
const growthMs = 1_000
const retryMs = 1_000
/** So many conversations may wait to be told of; more than that is told as one change of everything. */
const mostWaiting = 5_000
const mostItems = 100

/** Tells all processes what was committed. To be called after the commit: NOTIFY within a transaction would queue all commits. */
export interface ChangePublisher {
  tell(change: ConversationChange): void
  /** Of an answer that is being written: about once a second, whatever the number of calls. */
  tellGrowth(growth: Growth): void
  stop(): Promise<void>
}

/** An answer has grown. */
export interface Growth {
  readonly ownerId: string
  readonly conversationId: string
  readonly itemId: string
}

interface Collected {
  readonly ownerId: string | null
  readonly conversationId: string | null
  kind: ConversationChange['kind']
  readonly items: CoalescedChanges
}

const everything: ConversationChange = { ownerId: null, conversationId: null, kind: 'RESYNC', items: [] }

export function changePublisher(notifications: Notifications, log: Logger): ChangePublisher {
  let collected = new Map<string, Collected>()
  let growing = new Map<string, Growth>()
  let timer: NodeJS.Timeout | undefined
  let growthTimer: NodeJS.Timeout | undefined
  let sending: Promise<void> = Promise.resolve()

  const collect = (change: ConversationChange) => {
    const { ownerId, conversationId, kind, items } = change
    const place = `${ownerId} ${conversationId}`
    if (collected.size >= mostWaiting && !collected.has(place)) {
      collected.clear()
      collect(everything)
      return
    }
    const known = collected.get(place) ?? {
      ownerId,
      conversationId,
      kind: null,
      items: new CoalescedChanges(mostItems),
    }
    if (kind !== null) known.kind = mergedKind(known.kind ?? undefined, kind)
    for (const item of items) known.items.add(item)
    collected.set(place, known)
  }
  const schedule = (ms = collectMs) => {
    timer ??= setTimeout(() => {
      timer = undefined
      sending = sending.then(send)
    }, ms)
  }
  const send = async () => {
    const changes = [...collected.values()].map((each) => ({ ...each, items: each.items.takeAll() }))
    collected = new Map()
    try {
      for (const payload of payloadsOf(changes)) await notifications.publish(changesChannel, payload)
    } catch (error) {
      log.warn({ err: error }, 'changes could not be told to subscribers; trying again')
      for (const change of changes) collect(change)
      schedule(retryMs)
    }
  }

  const tell = (change: ConversationChange) => {
    collect(change)
    schedule()
  }
  return {
    tell,
    tellGrowth(growth) {
      growing.set(growth.itemId, growth)
      growthTimer ??= setTimeout(() => {
        growthTimer = undefined
        const grown = growing
        growing = new Map()
        for (const { itemId, ...where } of grown.values())
          tell({ ...where, kind: null, items: [{ kind: 'UPDATED', id: itemId }] })
      }, growthMs)
    },
    async stop() {
      clearTimeout(growthTimer)
      clearTimeout(timer)
      await sending
      await send()
      clearTimeout(timer)
    },
  }
}
