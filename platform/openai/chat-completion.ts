import { z } from 'zod'
import { conversationStub } from './conversation-stub.ts'
import { finishReason } from './finish-reason.ts'
import { tokenUsage } from './token-usage.ts'
import { toolCall } from './tool-call.ts'

/** One of the answers of a completion. */
export const completionChoice = z.looseObject({
  index: z.int(),
  message: z.looseObject({
    role: z.literal('assistant'),
    content: z.string().nullable(),
    reasoning_content: z.string().nullish().describe('What the model thought, where its provider tells.'),
    tool_calls: z.array(toolCall).nullish(),
    refusal: z.string().nullish(),
  }),
  finish_reason: finishReason,
  logprobs: z.unknown().optional(),
})

/** The answer of `POST /v1/chat/completions` without `stream` (contract 2.1). The provider's other fields stay. */
export const chatCompletion = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(completionChoice),
  usage: tokenUsage,
  system_fingerprint: z.string().optional(),
  conversation: conversationStub.optional().describe('Only where one took part.'),
})

/** A whole answer. */
export type ChatCompletion = z.output<typeof chatCompletion>
