import { AppError } from '../../../platform/errors.ts'
import { type Block, blockText, textBlock } from './blocks.ts'
import { givenContent } from './given-content.ts'
import type { ItemDetails, ItemDraft } from './item-draft.ts'

/** A user's message that is to say something else. */
export interface EditableMessage {
  readonly content: readonly Block[]
  readonly details: ItemDetails
}

/**
 * The message with a new text: it stands where the first text did, in a block of the same type. Other texts go, everything
 * that is no text stays.
 * @throws AppError `invalid_parameter`, `input_too_large`, naming `content`
 */
export function editedMessage({ content, details }: EditableMessage, text: string): ItemDraft {
  if (text.trim() === '')
    throw new AppError('invalid_parameter', 'content must not be empty.', { param: 'content' })
  const first = content.findIndex(isText)
  const block = first < 0 ? textBlock('user', text) : { type: (content[first] as Block).type, text }
  const before = content.slice(0, Math.max(first, 0))
  const after = content.slice(first < 0 ? 0 : first + 1).filter((other) => !isText(other))
  return {
    type: 'message',
    role: 'user',
    status: 'completed',
    content: givenContent([...before, block, ...after], {
      param: 'content',
      role: 'user',
      contentType: null,
    }),
    details,
  }
}

function isText(block: Block): boolean {
  return blockText(block) !== null
}
