import type { SubgraphServices } from '../../../platform/subgraph.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import type { CompletionParts } from '../completion/service.ts'
import type { TurnObserver } from '../completion/turn-observer.ts'
import type { ModelsConfig } from '../config.ts'
import { MemoryEmbedder } from './embedder.ts'
import { type EmbedTexts, embedWith } from './embedding.ts'
import { MemoryLearner } from './learner.ts'
import { createRecall, type Recall } from './recall.ts'
import { type Transcript, transcriptMessages } from './transcript.ts'

/** Memory as the models keep it: what recalls, and what learns and embeds in the background. */
export interface MemoryProcess {
  readonly recall: Recall
  readonly embedding: { readonly modelId: string; readonly embed: EmbedTexts } | null
  /** Whether there is room for it. @param modelId the conversation's own; null where there is none */
  learn(transcript: Transcript, modelId: string | null, asker: Parameters<TurnObserver>[1]): boolean
  /** For stored turns. */
  readonly observe: TurnObserver
  start(): void
  stop(): Promise<void>
}

/** Opened only where memory is on. */
export function openMemory(services: SubgraphServices<ModelsConfig>, parts: CompletionParts): MemoryProcess {
  const { settings, background, notifications, log } = services
  const modelId = settings.MEMORY_EMBEDDING_MODEL_ID
  const embedding = modelId === '' ? null : { modelId, embed: embedWith(modelId, parts) }
  const recall = createRecall({ embedding, timeoutMs: settings.MEMORY_TIMEOUT })
  const embedder = embedding && new MemoryEmbedder({ ...embedding, background, notifications, log })
  const learner = new MemoryLearner({ background, completions: parts, recall, log })

  const learn: MemoryProcess['learn'] = (transcript, ownModelId, { actor, requestId, traceparent }) => {
    const reader = settings.MEMORY_EXTRACTION_MODEL_ID || ownModelId || defaultModel(parts.catalogue)
    // The built-in model understands nothing: what it would answer was never said.
    if (!reader || parts.catalogue.registry.model(reader)?.isDevelopment) return true
    const asker = { actor, requestId, ...(traceparent === undefined ? {} : { traceparent }) }
    return learner.add({ transcript, modelId: reader, asker })
  }

  return {
    recall,
    embedding,
    learn,
    observe({ conversation, projectId, modelId, asked, answer }, context) {
      const messages = transcriptMessages([...asked, answer])
      learn({ conversationId: conversation.id, projectId, messages }, modelId, context)
    },
    start: () => embedder?.start(),
    async stop() {
      await Promise.all([learner.stop(), embedder?.stop()])
    },
  }
}

function defaultModel({ registry }: LiveCatalogue): string | null {
  return registry.models.find(({ capabilities }) => capabilities.embeddings !== true)?.id ?? null
}
