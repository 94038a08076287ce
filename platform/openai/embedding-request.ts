import { z } from 'zod'

const fields = z.looseObject({
  model: z.string().min(1, 'must not be empty'),
  input: z
    .union([
      z.string(),
      z.array(z.string()).min(1),
      z.array(z.int().min(0)).min(1),
      z.array(z.array(z.int().min(0)).min(1)).min(1),
    ])
    .describe('A text, a list of texts, or token arrays.'),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
})

/** The body of `POST /v1/embeddings` (contract 2.6). Unknown fields go to the provider. */
export const embeddingRequest = fields.meta({ id: 'EmbeddingRequest' })

/** A checked request for embeddings. */
export type EmbeddingRequest = z.output<typeof embeddingRequest>
