/** What happened to a conversation or an item, in the words of `LiveEventType`. */
export type ChangeKind = 'CREATED' | 'UPDATED' | 'DELETED' | 'RESYNC'

/** What happened to an item; without an id something happened that ids can't tell. */
export interface ItemChange {
  readonly kind: ChangeKind
  readonly id: string | null
}

/** Something that was committed, as processes tell each other. Ids only: who cares reads the rows. */
export interface ConversationChange {
  /** Null: everybody's lists may have changed. */
  readonly ownerId: string | null
  /** Null: all of the owner's. */
  readonly conversationId: string | null
  /** Null: nothing that lists of conversations show. */
  readonly kind: ChangeKind | null
  readonly items: readonly ItemChange[]
}

/** PostgreSQL's channel. */
export const changesChannel = 'conversation_changes'

/** PostgreSQL refuses 8,000 bytes and more. */
const maxPayloadBytes = 7_900

type WireItem = readonly [kind: ChangeKind, id: string | null]
type WireChange = readonly [
  ownerId: string | null,
  conversationId: string | null,
  kind: ChangeKind | null,
  items: readonly WireItem[],
]

/** Too much has happened to one list. */
const maxItems = 100

/** Changes as payloads of notifications, as few as hold them. */
export function payloadsOf(changes: readonly ConversationChange[]): string[] {
  const payloads: string[] = []
  let texts: string[] = []
  let bytes = 2
  for (const change of changes) {
    const text = JSON.stringify(wireChange(change))
    if (texts.length > 0 && bytes + text.length + 1 > maxPayloadBytes) {
      payloads.push(`[${texts.join(',')}]`)
      texts = []
      bytes = 2
    }
    texts.push(text)
    bytes += text.length + 1
  }
  if (texts.length > 0) payloads.push(`[${texts.join(',')}]`)
  return payloads
}

/** The changes of a payload that `payloadsOf` made. */
export function changesOf(payload: string): ConversationChange[] {
  return (JSON.parse(payload) as WireChange[]).map(([ownerId, conversationId, kind, items]) => ({
    ownerId,
    conversationId,
    kind,
    items: items.map(([itemKind, id]) => ({ kind: itemKind, id })),
  }))
}

function wireChange({ ownerId, conversationId, kind, items }: ConversationChange): WireChange {
  const told: readonly ItemChange[] = items.length > maxItems ? [{ kind: 'RESYNC', id: null }] : items
  return [ownerId, conversationId, kind, told.map((item) => [item.kind, item.id] as const)]
}
