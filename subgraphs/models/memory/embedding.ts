import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { embeddingService } from '../completion/embeddings.ts'
import type { CompletionParts } from '../completion/service.ts'

/** A vector for each text, as base64 of little-endian 32-bit floats; acts and accounts for the context's actor. */
export type EmbedTexts = (texts: readonly string[], context: RequestContext) => Promise<string[]>

/** Vectors by one model. */
export function embedWith(modelId: string, parts: CompletionParts): EmbedTexts {
  return async (texts, context) => {
    const request = { model: modelId, input: [...texts], encoding_format: 'base64' as const }
    const bytes = Buffer.from(JSON.stringify(request))
    const { json } = await embeddingService(context, parts).embed({ bytes, parsed: request })
    const vectors = (json.data as readonly { readonly embedding: unknown }[]).map(({ embedding }) =>
      String(embedding),
    )
    if (vectors.length !== texts.length || !vectors.every(hasDirection))
      throw new AppError('provider_error', 'The model did not answer with a vector for each text.')
    return vectors
  }
}

/** Whether it is a vector that can be compared at all. */
function hasDirection(vector: string): boolean {
  const bytes = Buffer.from(vector, 'base64')
  const values = Array.from({ length: bytes.length >> 2 }, (_, at) => bytes.readFloatLE(at * 4))
  return bytes.length % 4 === 0 && values.every(Number.isFinite) && values.some((value) => value !== 0)
}
