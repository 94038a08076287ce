import { z } from 'zod'
import { conversationStub } from './conversation-stub.ts'
import { finishReason } from './finish-reason.ts'
import { tokenUsage } from './token-usage.ts'
import { toolCallDelta } from './tool-call.ts'

/** One `data:` frame of a streamed completion (contract 2.3). */
export const chatCompletionChunk = z.looseObject({
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
      }),
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: tokenUsage.nullish().describe('In the last chunk, whose `choices` are empty.'),
  conversation: conversationStub.optional(),
})

/** A frame of a stream. */
export type ChatCompletionChunk = z.output<typeof chatCompletionChunk>
