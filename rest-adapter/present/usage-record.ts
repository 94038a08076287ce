import { z } from 'zod'
import type { UsageRecordFieldsFragment } from '../operations.generated.ts'
import { unixSeconds } from '../shapes.ts'

const usageFields = z.object({
  id: z.string().describe('The platform’s own of the request.'),
  object: z.literal('usage.record'),
  model: z.string(),
  provider: z.string(),
  conversation_id: z.string().nullable(),
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  total_tokens: z.number().int(),
  estimated: z.boolean().describe('The tokens are an estimate: the provider told none.'),
  duration_ms: z.number().int(),
  time_to_first_token_ms: z.number().int().nullable(),
  status: z.enum(['completed', 'aborted', 'failed']),
  stream: z.boolean(),
  created_at: z.number().int(),
})

export const exampleUsage: z.output<typeof usageFields> = {
  id: 'chatcmpl-7f3k9q2m5x8b1c4v6n0p2r4t',
  object: 'usage.record',
  model: 'jan-v1-4b',
  provider: 'vLLM',
  conversation_id: 'conv_4m6p8r0t1v3x5z7b',
  prompt_tokens: 24,
  completion_tokens: 180,
  total_tokens: 204,
  estimated: false,
  duration_ms: 2150,
  time_to_first_token_ms: 240,
  status: 'completed',
  stream: true,
  created_at: 1767225600,
}

/** What one request to a model has used. */
export const usageResource = usageFields.meta({ id: 'UsageRecord', examples: [exampleUsage] })

export function usageJson(record: UsageRecordFieldsFragment): z.output<typeof usageResource> {
  const { id, model, provider, estimated, stream, status } = record
  return {
    id,
    object: 'usage.record',
    model,
    provider,
    conversation_id: record.conversationId,
    prompt_tokens: record.promptTokens,
    completion_tokens: record.completionTokens,
    total_tokens: record.totalTokens,
    estimated,
    duration_ms: record.durationMs,
    time_to_first_token_ms: record.timeToFirstTokenMs,
    status: status.toLowerCase() as Lowercase<typeof status>,
    stream,
    created_at: unixSeconds(record.createdAt),
  }
}
