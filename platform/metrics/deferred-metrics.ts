import type { Metrics } from './metrics.ts'

/** Metrics that are handed on to others once those are there. */
export interface DeferredMetrics extends Metrics {
  /** Defines and counts there what was defined and counted here, and from now on at once. Called once. */
  attach(metrics: Metrics): void
}

/** So much is kept of what is counted before; what comes after it and before `attach` is lost. */
const mostKept = 20_000

/**
 * Counts from the first moment on, without the library that knows how Prometheus wants to be told: to load that takes
 * longer than any other part of a start.
 */
export function deferredMetrics(): DeferredMetrics {
  const waiting: ((metrics: Metrics) => void)[] = []
  let kept = 0
  let attached: Metrics | null = null

  const deferred = <Instrument>(define: (metrics: Metrics) => Instrument) => {
    let instrument: Instrument | null = null
    const early: ((instrument: Instrument) => void)[] = []
    const begin = (metrics: Metrics) => {
      instrument = define(metrics)
      for (const use of early.splice(0)) use(instrument)
    }
    if (attached) begin(attached)
    else waiting.push(begin)
    return (use: (instrument: Instrument) => void) => {
      if (instrument) return use(instrument)
      if (kept >= mostKept) return
      kept += 1
      early.push(use)
    }
  }

  return {
    counter(definition) {
      const use = deferred((metrics) => metrics.counter(definition))
      return { add: (labels, by) => use((counter) => counter.add(labels, by)) }
    },
    histogram(definition) {
      const use = deferred((metrics) => metrics.histogram(definition))
      return { observe: (labels, value) => use((histogram) => histogram.observe(labels, value)) }
    },
    gauge(definition) {
      const use = deferred((metrics) => metrics.gauge(definition))
      return {
        add: (labels, by) => use((gauge) => gauge.add(labels, by)),
        set: (labels, value) => use((gauge) => gauge.set(labels, value)),
      }
    },
    attach(metrics) {
      attached = metrics
      for (const begin of waiting.splice(0)) begin(metrics)
    },
  }
}
