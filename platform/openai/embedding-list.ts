import { z } from 'zod'

const fields = z.looseObject({
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

/** The answer of `POST /v1/embeddings`: floats, or base64 of little-endian 32-bit floats where that was asked for. */
export const embeddingList = fields.meta({
  id: 'EmbeddingList',
  examples: [
    {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.6, 0.8, 0] }],
      model: 'jan-dev-embedding',
      usage: { prompt_tokens: 5, total_tokens: 5 },
    },
  ],
})

/** A list of embeddings. */
export type EmbeddingList = z.output<typeof embeddingList>
