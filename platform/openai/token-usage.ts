import { z } from 'zod'

/** The token counts of a completion, with whatever details the provider added. */
export const tokenUsage = z.looseObject({
  prompt_tokens: z.int().min(0),
  completion_tokens: z.int().min(0),
  total_tokens: z.int().min(0),
})

/** Checked token counts. */
export type TokenUsage = z.output<typeof tokenUsage>
