import prometheus from 'prom-client'
import type { Metrics } from './metrics.ts'

/** Metrics that Prometheus can read, and the figures of the process itself: memory, CPU, garbage collection, the event loop. */
export interface PrometheusMetrics extends Metrics {
  readonly contentType: string
  /** All of them in Prometheus's text format. */
  text(): Promise<string>
}

export function prometheusMetrics(): PrometheusMetrics {
  const registry = new prometheus.Registry()
  const registers = [registry]
  prometheus.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 })
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter({ name, help, labels }) {
      const counter = new prometheus.Counter({ name, help, labelNames: [...labels], registers })
      return { add: (values, by = 1) => counter.inc(values, by) }
    },
    histogram({ name, help, labels, buckets }) {
      const histogram = new prometheus.Histogram({
        name,
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers,
      })
      return { observe: (values, value) => histogram.observe(values, value) }
    },
    gauge({ name, help, labels }) {
      const gauge = new prometheus.Gauge({ name, help, labelNames: [...labels], registers })
      return { add: (values, by) => gauge.inc(values, by), set: (values, value) => gauge.set(values, value) }
    },
  }
}
