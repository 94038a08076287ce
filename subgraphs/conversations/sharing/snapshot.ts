import { AppError } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import { type Block, plainText } from '../content/blocks.ts'
import { sharedBlocks } from './shared-blocks.ts'

/** Contract 2.11. */
const maxSnapshotBytes = 10 * 1024 * 1024

/** A message as it is stored, as far as sharing looks at it. Moments are PostgreSQL's text. */
export interface StoredMessage {
  readonly role: string
  readonly content: readonly Block[]
  readonly callId: string | null
  readonly modelId: string | null
  readonly createdAt: string
}

/** A message in a snapshot, under an id of its own. */
export interface SharedItem {
  readonly id: string
  readonly type: 'message'
  readonly role: string
  readonly content: readonly Block[]
  readonly callId: string | null
  readonly createdAt: string
}

/** What is shared, as it is stored with its share. The title stands at the share. */
export interface Snapshot {
  readonly modelName: string | null
  readonly createdAt: string
  readonly items: readonly SharedItem[]
}

/** Builds a snapshot message by message, so that no more of a conversation is held than may be shared. */
export interface SnapshotBuilder {
  /** @throws AppError `payload_too_large` */
  add(message: StoredMessage): void
  /** @throws AppError `invalid_parameter` when nothing can be shared */
  finish(): Snapshot
}

/** @param conversationCreatedAt when the conversation began */
export function snapshotBuilder(
  conversationCreatedAt: Date | string,
  includeImages: boolean,
): SnapshotBuilder {
  const items: SharedItem[] = []
  let modelName: string | null = null
  let bytes = 0
  return {
    add({ role, content, callId, modelId, createdAt }) {
      const shared = sharedBlocks(content, includeImages)
      if (shared.length === 0) return
      const item = {
        id: newId('item'),
        type: 'message',
        role,
        content: shared,
        callId,
        createdAt: isoTime(createdAt),
      } as const
      bytes += Buffer.byteLength(JSON.stringify(item))
      if (bytes > maxSnapshotBytes)
        throw new AppError('payload_too_large', 'This is too much to share: a snapshot has at most 10 MB.')
      items.push(item)
      modelName = modelId ?? modelName
    },
    finish() {
      if (items.length === 0)
        throw new AppError('invalid_parameter', 'There is nothing in it that can be shared.')
      return { modelName, createdAt: isoTime(conversationCreatedAt), items }
    },
  }
}

/** The beginning of the first text that a person wrote, else of the first text; null where there is none. */
export function firstText({ items }: Snapshot): string | null {
  const texts = items.map(({ role, content }) => ({ role, text: plainText(content).trim() }))
  const readable = texts.filter(({ text }) => text !== '')
  return (readable.find(({ role }) => role === 'user') ?? readable[0])?.text ?? null
}

function isoTime(moment: Date | string): string {
  return new Date(moment).toISOString()
}
