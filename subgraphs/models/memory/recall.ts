import type { RequestContext } from '../../../platform/context.ts'
import { RankMemoriesDocument, type RankMemoriesQuery } from '../operations.generated.ts'
import type { EmbedTexts } from './embedding.ts'

/** What is looked for. */
export interface RecallWish {
  readonly query: string
  readonly projectId: string | null
  /** The conversation that is not looked back at. */
  readonly exceptConversationId: string | null
  readonly maxUserItems: number
  readonly maxProjectItems: number
  readonly maxEpisodicItems: number
  /** 0 to 1. */
  readonly minSimilarity: number
}

/** What was found, the best first. */
export type Recalled = RankMemoriesQuery['rankMemories']

/** Finds the memories of the context's actor. @throws AppError */
export type Recall = (wish: RecallWish, context: RequestContext) => Promise<Recalled>

/** What recall is made with. */
export interface RecallOptions {
  /** Null where no model makes vectors: words are compared. */
  readonly embedding: { readonly modelId: string; readonly embed: EmbedTexts } | null
  /** How long the vector of a query may take. */
  readonly timeoutMs: number
}

/** Models for embeddings read no more of a text than this, about. */
const maxEmbeddedLength = 8_000

/** By meaning where a model makes vectors; where it fails or takes too long, by words. */
export function createRecall({ embedding, timeoutMs }: RecallOptions): Recall {
  const vectorOf = async (query: string, context: RequestContext) => {
    if (!embedding || query.trim() === '') return {}
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)])
    try {
      const [vector] = await embedding.embed([query.slice(-maxEmbeddedLength).toWellFormed()], {
        ...context,
        signal,
      })
      return { vector, vectorModel: embedding.modelId }
    } catch (error) {
      if (context.signal.aborted) throw error
      context.log.warn({ err: error }, 'a query got no vector: memories are recalled by words')
      return {}
    }
  }
  return async (wish, context) => {
    const input = { ...wish, ...(await vectorOf(wish.query, context)) }
    return (await context.graph.execute(RankMemoriesDocument, { input }, context)).rankMemories
  }
}
