import { z } from 'zod'
import { conversationStub } from './conversation-stub.ts'
import { tokenUsage } from './token-usage.ts'

const toolCall = z.looseObject({ id: z.string().optional(), type: z.string().optional() })

/** One of the answers of a completion. */
export const completionChoice = z.looseObject({
  index: z.int().optional(),
  message: z.looseObject({
    role: z.string().optional(),
    content: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
    refusal: z.string().nullish(),
  }),
  finish_reason: z.string().nullish(),
})

/** The answer of `POST /v1/chat/completions` without `stream` (contract 2.1). The provider's other fields stay. */
export const chatCompletion = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(completionChoice),
  usage: tokenUsage,
  conversation: conversationStub.optional(),
})

/** A whole answer. */
export type ChatCompletion = z.output<typeof chatCompletion>
