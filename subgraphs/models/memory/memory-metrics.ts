import { type Metrics, secondsBuckets } from '../../../platform/metrics/metrics.ts'
import type { EmbedTexts } from './embedding.ts'
import type { MemoryProcess } from './process.ts'
import type { Recall } from './recall.ts'

/** What is counted of memory where models work for it (contract 8.12): each does what it is made of, and counts that. */
export interface MemoryMetrics {
  embed(embed: EmbedTexts): EmbedTexts
  recall(recall: Recall): Recall
  learn(learn: MemoryProcess['learn']): MemoryProcess['learn']
}

export function memoryMetrics(metrics: Metrics): MemoryMetrics {
  const loads = metrics.counter({
    name: 'jan_memory_load_total',
    help: 'Memories that were looked for.',
    labels: [],
  })
  const observed = metrics.counter({
    name: 'jan_memory_observe_total',
    help: 'Conversations to be learned from: accepted, full where too many waited, no_reader without a model.',
    labels: ['status'],
  })
  const embeddings = metrics.histogram({
    name: 'jan_memory_embedding_duration_seconds',
    help: 'How long a model took for vectors; failures count too.',
    labels: [],
    buckets: secondsBuckets,
  })
  return {
    embed: (embed) => async (texts, context) => {
      const started = performance.now()
      try {
        return await embed(texts, context)
      } finally {
        embeddings.observe({}, (performance.now() - started) / 1000)
      }
    },
    recall: (recall) => (wish, context) => {
      loads.add({})
      return recall(wish, context)
    },
    learn:
      (learn) =>
      (...lesson) => {
        const status = learn(...lesson)
        observed.add({ status })
        return status
      },
  }
}
