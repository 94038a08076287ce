import { toAppError } from '../../../platform/errors.ts'
import { fewValues } from '../../../platform/metrics/few-values.ts'
import { type Metrics, secondsBuckets } from '../../../platform/metrics/metrics.ts'
import type { UsageRecord } from './usage-recorder.ts'

/** What is counted of calls to models (contract 8.12). */
export interface InferenceMetrics {
  /** A call that has ended, however it did. */
  used(usage: UsageRecord): void
  /** A provider that did not answer, whether or not another did in its place. */
  failed(provider: string, failure: unknown): void
  /** A stream that goes out; call what comes back when it is over. */
  streaming(model: string): () => void
  /** Whether a provider is asked for a model, by its own id, or given up for a while. */
  health(provider: string, model: string, isHealthy: boolean): void
}

const firstTokenBuckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60]
const tokenBuckets = [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144]

export function inferenceMetrics(metrics: Metrics): InferenceMetrics {
  const who = ['model', 'provider'] as const
  const named = (name: string, help: string) => ({ name: `jan_llm_api_${name}`, help, labels: who })
  const promptTokens = metrics.counter(named('tokens_prompt_total', 'Tokens of prompts.'))
  const completionTokens = metrics.counter(named('tokens_completion_total', 'Tokens of answers.'))
  const perRequest = metrics.histogram({
    ...named('tokens_per_request', 'Tokens of a call, prompt and answer together.'),
    buckets: tokenBuckets,
  })
  const firstTokens = metrics.histogram({
    ...named('first_token_seconds', 'From a call to the first text of its stream.'),
    buckets: firstTokenBuckets,
  })
  const durations = metrics.histogram({
    name: 'jan_llm_api_llm_duration_seconds',
    help: 'From a call to the end of its answer; status tells how it ended.',
    labels: ['model', 'provider', 'stream', 'status'],
    buckets: secondsBuckets,
  })
  const streams = metrics.gauge({
    name: 'jan_llm_api_active_streams',
    help: 'Streams that go out at the moment.',
    labels: ['model'],
  })
  const errors = metrics.counter({
    name: 'jan_llm_api_provider_errors_total',
    help: 'Calls that a provider did not answer, by what went wrong.',
    labels: ['provider', 'code'],
  })
  const healthy = metrics.gauge(
    named('provider_health', '1 while a provider is asked for a model, 0 while it is given up for it.'),
  )
  const modelLabel = fewValues()

  return {
    used(usage) {
      const { provider } = usage
      const model = modelLabel(usage.model)
      promptTokens.add({ model, provider }, usage.promptTokens)
      completionTokens.add({ model, provider }, usage.completionTokens)
      perRequest.observe({ model, provider }, usage.totalTokens)
      const { timeToFirstTokenMs: firstMs = null, stream, status } = usage
      if (firstMs !== null) firstTokens.observe({ model, provider }, firstMs / 1000)
      durations.observe({ model, provider, stream: String(stream), status }, usage.durationMs / 1000)
    },
    failed: (provider, failure) => errors.add({ provider, code: toAppError(failure).code }),
    streaming(id) {
      const model = modelLabel(id)
      streams.add({ model }, 1)
      return () => streams.add({ model }, -1)
    },
    health: (provider, id, isHealthy) => healthy.set({ model: modelLabel(id), provider }, isHealthy ? 1 : 0),
  }
}
