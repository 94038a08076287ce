import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import { AddImageItemsDocument, ImageConversationDocument } from '../operations.generated.ts'
import type { ImageCall } from './image-call.ts'

/** What a conversation is told of images. */
export interface ImageTurn {
  readonly call: ImageCall
  readonly modelId: string
  /** The media that were changed. */
  readonly sources: readonly string[]
  /** The media that came of it. */
  readonly made: readonly string[]
  readonly revisedPrompt: string | null
}

/** Writes go on after the client has left, but not for ever. */
const writeDeadlineMs = 10_000

const itemTypes = { generate: 'image_generation_call', edit: 'image_edit_call' } as const

/** The prompt, and the call. */
const itemsOfTurn = 2

/**
 * The conversation that a request names; null where it names none.
 * @throws AppError `conversation_not_found`; `conversation_full` before anything was made that could not be stored
 */
export async function namedConversation(
  { request: { conversation_id: id, store } }: ImageCall,
  context: RequestContext,
): Promise<ConversationStub | null> {
  if (id == null) return null
  const { conversation } = await context.graph.execute(ImageConversationDocument, { id }, context)
  if (!conversation)
    throw new AppError('conversation_not_found', 'There is no such conversation.', {
      param: 'conversation_id',
    })
  if (store !== false && conversation.itemsLeft < itemsOfTurn)
    throw new AppError('conversation_full', 'The conversation takes no more items.', {
      param: 'conversation_id',
    })
  return { id: conversation.id, title: conversation.title ?? null }
}

/**
 * Contract 2.7: the prompt with the images that were changed, and a call with those that were made. They were paid for and are
 * media already: where the conversation takes them no more, they are answered with all the same.
 * @returns whether it has them
 */
export async function storeImageTurn(
  conversationId: string,
  { call: { task, request }, modelId, sources, made, revisedPrompt }: ImageTurn,
  base: RequestContext,
): Promise<boolean> {
  const context = { ...base, signal: AbortSignal.timeout(writeDeadlineMs) }
  const asked = {
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text: request.prompt }, ...sources.map(inputImage)],
  }
  const answered = {
    type: itemTypes[task],
    role: 'assistant',
    content: made.map((id) => ({ type: 'image', image: { url: id, file_id: id } })),
    details: {
      prompt: request.prompt,
      model: modelId,
      ...(revisedPrompt === null ? {} : { revised_prompt: revisedPrompt }),
    },
  }
  const input = { conversationId, items: [asked, answered] }
  try {
    await context.graph.execute(AddImageItemsDocument, { input }, context)
    return true
  } catch (err) {
    base.log.error(
      { err, conversation: conversationId, media: made },
      'images were not stored in their conversation',
    )
    return false
  }
}

function inputImage(id: string): object {
  return { type: 'input_image', image_url: id, file_id: id }
}
