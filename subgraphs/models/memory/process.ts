import type { RequestContext } from '../../../platform/context.ts'
import type { SubgraphServices } from '../../../platform/subgraph.ts'
import { isOpenToAll } from '../catalogue/access.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import type { ListedModel } from '../catalogue/registry.ts'
import type { CompletionParts } from '../completion/service.ts'
import type { TurnObserver } from '../completion/turn-observer.ts'
import type { ModelsConfig } from '../config.ts'
import type { MemoryRecall } from '../prompts/modules/index.ts'
import { MemoryEmbedder } from './embedder.ts'
import { type EmbedTexts, embedWith } from './embedding.ts'
import { MemoryLearner } from './learner.ts'
import { memoryMetrics } from './memory-metrics.ts'
import { promptMemory } from './prompt-memory.ts'
import { createRecall, type Recall } from './recall.ts'
import { type Transcript, transcriptMessages } from './transcript.ts'

/** What becomes of something to learn from: it may find too much waiting, or nobody who understands it. */
export type LessonFate = 'accepted' | 'full' | 'no_reader'

/** Memory as the models keep it: what recalls, and what learns and embeds in the background. */
export interface MemoryProcess {
  readonly recall: Recall
  readonly embedding: { readonly modelId: string; readonly embed: EmbedTexts } | null
  /** @param modelId the conversation's own; null where there is none */
  learn(transcript: Transcript, modelId: string | null, asker: RequestContext): LessonFate
  /** For prompts. */
  readonly forPrompts: MemoryRecall
  /** For stored turns. */
  readonly observe: TurnObserver
  start(): void
  stop(): Promise<void>
}

/** Opened only where memory is on. */
export function openMemory(services: SubgraphServices<ModelsConfig>, parts: CompletionParts): MemoryProcess {
  const { settings, background, notifications, log } = services
  const modelId = settings.MEMORY_EMBEDDING_MODEL_ID
  const counted = memoryMetrics(services.metrics)
  const embedding = modelId === '' ? null : { modelId, embed: counted.embed(embedWith(modelId, parts)) }
  const recall = createRecall({ embedding, timeoutMs: settings.MEMORY_TIMEOUT })
  const counting = counted.recall(recall)
  const embedder = embedding && new MemoryEmbedder({ ...embedding, background, notifications, log })
  const learner = new MemoryLearner({ background, completions: parts, recall, log })

  const learn = counted.learn((transcript, ownModelId, { actor, requestId, traceparent }) => {
    const reader = settings.MEMORY_EXTRACTION_MODEL_ID || ownModelId || defaultModel(parts.catalogue)
    // The built-in model understands nothing: what it would answer was never said.
    if (!reader || parts.catalogue.registry.model(reader)?.isDevelopment) return 'no_reader'
    const asker = { actor, requestId, ...(traceparent === undefined ? {} : { traceparent }) }
    return learner.add({ transcript, modelId: reader, asker }) ? 'accepted' : 'full'
  })

  return {
    recall: counting,
    embedding,
    forPrompts: promptMemory(counting, settings.MEMORY_TIMEOUT),
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

/** The first that everybody may use for chats. */
function defaultModel({ registry }: LiveCatalogue): string | null {
  const reads = (model: ListedModel) =>
    !model.isDevelopment && model.capabilities.embeddings !== true && isOpenToAll(model)
  return registry.models.find(reads)?.id ?? null
}
