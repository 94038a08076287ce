import { z } from 'zod'
import { conversationStub } from './conversation-stub.ts'
import { tokenUsage } from './token-usage.ts'

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
        role: z.string().nullish(),
        content: z.string().nullish(),
        reasoning_content: z.string().nullish(),
        tool_calls: z.array(z.looseObject({ index: z.int().optional() })).nullish(),
      }),
      finish_reason: z.string().nullish(),
    }),
  ),
  usage: tokenUsage.nullish(),
  conversation: conversationStub.optional(),
})

/** A frame of a stream. */
export type ChatCompletionChunk = z.output<typeof chatCompletionChunk>
