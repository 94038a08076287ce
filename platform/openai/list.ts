import { z } from 'zod'

/** OpenAI's list of `entries`, without our paging fields. */
export const openAiList = (entry: z.ZodType) => z.object({ object: z.literal('list'), data: z.array(entry) })
