import { z } from 'zod'
import { chatMessage } from './chat-message.ts'

const penalty = z.number().min(-2).max(2).nullish()
const positive = z.int().min(1)

/** Which conversation a completion belongs to: its id, or an object; `{}` begins a new one. */
const conversation = z.union([
  z.string(),
  z.object({ id: z.string().nullish(), branch: z.string().nullish() }),
])

/** The fields of contract 2.1 that are ours: no provider sees them. */
export const platformFields = {
  conversation: conversation.nullish().describe('Prepends its items; both sides are stored in it.'),
  store: z.boolean().nullish().describe('False reads the conversation without adding to it. Default true.'),
  store_reasoning: z.boolean().nullish().describe('Stores the reasoning too. Default false.'),
  deep_research: z.boolean().nullish().describe('Adds the research instruction; needs a reasoning model.'),
  enable_thinking: z
    .boolean()
    .nullish()
    .describe("False uses the model's instruct companion, if it has one."),
  image: z.boolean().nullish().describe('Keeps a thinking model, which can use image tools.'),
} as const

const fields = z.looseObject({
  model: z.string().min(1, 'must not be empty').describe('A model id, as `/v1/models` lists them.'),
  messages: z.array(chatMessage).min(1, 'must have at least one message'),
  stream: z.boolean().nullish().describe('Answers as an event stream.'),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  n: z.int().min(1).max(128).nullish().describe('How many answers.'),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  max_tokens: positive.nullish(),
  max_completion_tokens: positive.nullish(),
  presence_penalty: penalty,
  frequency_penalty: penalty,
  logit_bias: z.record(z.string(), z.number().min(-100).max(100)).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  seed: z.int().nullish(),
  user: z.string().nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  reasoning_effort: z.string().nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  service_tier: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).nullish(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).nullish(),
  top_k: z.int().nullish(),
  repetition_penalty: z.number().nullish(),
  ...platformFields,
})

/** The body of `POST /v1/chat/completions`. Fields that are not named here go to the provider as they are. */
export const chatCompletionRequest = fields.meta({ id: 'ChatCompletionRequest' })

/** A checked request, with the fields that we do not know. */
export type ChatCompletionRequest = z.output<typeof chatCompletionRequest>
