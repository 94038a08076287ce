import type { Block } from './blocks.ts'

/** What an item may say of itself beside its type, role and content. */
export interface ItemDetails {
  readonly name?: string
  readonly arguments?: string
  readonly output?: unknown
  readonly error?: unknown
  readonly server_label?: string
  readonly [field: string]: unknown
}

/** An item that is about to be stored. */
export interface ItemDraft {
  readonly type: string
  readonly role: string | null
  readonly status: string
  readonly content: readonly Block[]
  readonly modelId?: string | null
  readonly callId?: string | null
  readonly details?: ItemDetails
  readonly finishReason?: string | null
  readonly usage?: unknown
  readonly incompleteDetails?: unknown
}
