import { z } from 'zod'

type Tokens = readonly number[]
type EmbeddingInput = string | readonly string[] | Tokens | readonly Tokens[]

const isToken = (value: unknown) => Number.isInteger(value) && (value as number) >= 0
const isTokens = (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isToken)

/** By its first element: to try one kind after the other would find a fault in each of a million tokens. */
function isEmbeddingInput(value: unknown): boolean {
  if (!Array.isArray(value)) return typeof value === 'string'
  const [first] = value
  if (typeof first === 'string') return value.every((text) => typeof text === 'string')
  return Array.isArray(first) ? value.every(isTokens) : isTokens(value)
}

const tokens = { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 1 }

const fields = z.looseObject({
  model: z.string().min(1, 'must not be empty'),
  input: z.custom<EmbeddingInput>(isEmbeddingInput, 'must be a text, a list of texts, or token arrays').meta({
    description: 'A text, a list of texts, or token arrays.',
    anyOf: [
      { type: 'string' },
      { type: 'array', items: { type: 'string' }, minItems: 1 },
      tokens,
      { type: 'array', items: tokens, minItems: 1 },
    ],
  }),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
})

/** The body of `POST /v1/embeddings` (contract 2.6). Unknown fields go to the provider. */
export const embeddingRequest = fields.meta({ id: 'EmbeddingRequest' })

/** A checked request for embeddings. */
export type EmbeddingRequest = z.output<typeof embeddingRequest>
