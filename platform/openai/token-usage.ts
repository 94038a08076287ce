import { z } from 'zod'

const fields = z.looseObject({
  prompt_tokens: z.int().min(0),
  completion_tokens: z.int().min(0),
  total_tokens: z.int().min(0),
})

/** The token counts of a completion, with whatever details the provider added. */
export const tokenUsage = fields.meta({ id: 'TokenUsage' })

/** Checked token counts. */
export type TokenUsage = z.output<typeof tokenUsage>
