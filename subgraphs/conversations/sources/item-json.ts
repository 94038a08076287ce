import { newId } from '../../../platform/ids.ts'
import type { ItemDraft } from '../content/item-draft.ts'
import { jsonText } from './transaction.ts'

/** An item with a fresh id, as the functions that write turns take it. What is not known is left out. */
export function itemJson(draft: ItemDraft) {
  return {
    public_id: newId('item'),
    type: draft.type,
    role: draft.role,
    status: draft.status,
    content: JSON.stringify(draft.content),
    model_id: draft.modelId ?? undefined,
    call_id: draft.callId ?? undefined,
    details: JSON.stringify(draft.details ?? {}),
    finish_reason: draft.finishReason ?? undefined,
    usage: jsonText(draft.usage) ?? undefined,
    incomplete_details: jsonText(draft.incompleteDetails) ?? undefined,
  }
}
