import { z } from 'zod'

/** The answer of `POST /v1/embeddings`: floats, or base64 of little-endian 32-bit floats where that was asked for. */
export const embeddingList = z.looseObject({
  object: z.literal('list'),
  data: z.array(
    z.looseObject({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: z.looseObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
})

/** A list of embeddings. */
export type EmbeddingList = z.output<typeof embeddingList>
