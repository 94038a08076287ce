import { z } from 'zod'
import { answerImages } from './answer-images.ts'
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
    images: answerImages.nullish(),
  }),
  finish_reason: finishReason,
  logprobs: z.unknown().optional(),
})

const fields = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(completionChoice),
  usage: tokenUsage,
  system_fingerprint: z.string().optional(),
  conversation: conversationStub.optional().describe('Only where one took part.'),
  trimmed: z
    .literal(true)
    .optional()
    .describe('Where the model was told less than there was, for more does not fit into its context.'),
})

/** The answer of `POST /v1/chat/completions` without `stream` (contract 2.1). The provider's other fields stay. */
export const chatCompletion = fields.meta({
  id: 'ChatCompletion',
  examples: [
    {
      id: 'chatcmpl-66aac869f18e4332b63535cdabdcfe80',
      object: 'chat.completion',
      created: 1_767_225_600,
      model: 'jan-v1-4b',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'In layers.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
    },
  ],
})

/** A whole answer. */
export type ChatCompletion = z.output<typeof chatCompletion>
