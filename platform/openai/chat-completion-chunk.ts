import { z } from 'zod'
import { answerImages } from './answer-images.ts'
import { conversationStub } from './conversation-stub.ts'
import { finishReason } from './finish-reason.ts'
import { tokenUsage } from './token-usage.ts'
import { toolCallDelta } from './tool-call.ts'

const fields = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      delta: z.looseObject({
        role: z.enum(['developer', 'system', 'user', 'assistant', 'tool']).optional(),
        content: z.string().nullish(),
        reasoning_content: z.string().nullish(),
        tool_calls: z.array(toolCallDelta).optional(),
        images: answerImages.nullish(),
      }),
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: tokenUsage.nullish().describe('In the last chunk, whose `choices` are empty.'),
  conversation: conversationStub.optional(),
  trimmed: z
    .literal(true)
    .optional()
    .describe('In the last chunk, where the model was told less than there was.'),
})

/** One `data:` frame of a streamed completion (contract 2.3). */
export const chatCompletionChunk = fields.meta({
  id: 'ChatCompletionChunk',
  examples: [
    {
      id: 'chatcmpl-66aac869f18e4332b63535cdabdcfe80',
      object: 'chat.completion.chunk',
      created: 1_767_225_600,
      model: 'jan-v1-4b',
      choices: [{ index: 0, delta: { content: 'In' }, finish_reason: null }],
    },
  ],
})

/** A frame of a stream. */
export type ChatCompletionChunk = z.output<typeof chatCompletionChunk>
