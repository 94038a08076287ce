import { type Metrics, shortSecondsBuckets } from '../../../platform/metrics/metrics.ts'

/** What is counted of ranking (contract 8.12). */
export interface RankingMetrics {
  /** Whether a profile was at hand. */
  looked(isHit: boolean): void
  /** How long the vectors of a profile took to be compared, in milliseconds. */
  compared(ms: number): void
}

export function rankingMetrics(metrics: Metrics): RankingMetrics {
  const hits = metrics.counter({
    name: 'jan_memory_cache_hits_total',
    help: 'Profiles that were at hand when their memories were ranked.',
    labels: [],
  })
  const misses = metrics.counter({
    name: 'jan_memory_cache_misses_total',
    help: 'Profiles that had to be read for it.',
    labels: [],
  })
  const searches = metrics.histogram({
    name: 'jan_memory_vector_search_duration_seconds',
    help: 'How long it took to compare a vector with those of a profile.',
    labels: [],
    buckets: shortSecondsBuckets,
  })
  return {
    looked: (isHit) => (isHit ? hits : misses).add({}),
    compared: (ms) => searches.observe({}, ms / 1000),
  }
}
