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

/** The conversation that a request names; null where it names none. @throws AppError `conversation_not_found` */
export async function namedConversation(
  { request: { conversation_id: id } }: ImageCall,
  context: RequestContext,
): Promise<ConversationStub | null> {
  if (id == null) return null
  const { conversation } = await context.graph.execute(ImageConversationDocument, { id }, context)
  if (conversation) return { id: conversation.id, title: conversation.title ?? null }
  throw new AppError('conversation_not_found', 'There is no such conversation.', { param: 'conversation_id' })
}

/** Contract 2.7: the prompt with the images that were changed, and a call with those that were made. */
export async function storeImageTurn(
  conversationId: string,
  { call: { task, request }, modelId, sources, made, revisedPrompt }: ImageTurn,
  base: RequestContext,
): Promise<void> {
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
  await context.graph.execute(
    AddImageItemsDocument,
    { input: { conversationId, items: [asked, answered] } },
    context,
  )
}

function inputImage(id: string): object {
  return { type: 'input_image', image_url: id, file_id: id }
}
