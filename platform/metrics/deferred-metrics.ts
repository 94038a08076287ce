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

  /** An instrument, once it is there; until then what was to be done with it is kept. */
  const deferred = <Instrument>(define: (metrics: Metrics) => Instrument) => {
    const early: ((instrument: Instrument) => void)[] = []
    const place: { instrument: Instrument | null; keep(use: (instrument: Instrument) => void): void } = {
      instrument: attached && define(attached),
      keep(use) {
        if (kept >= mostKept) return
        kept += 1
        early.push(use)
      },
    }
    if (!attached)
      waiting.push((metrics) => {
        const instrument = define(metrics)
        place.instrument = instrument
        for (const use of early.splice(0)) use(instrument)
      })
    return place
  }

  return {
    counter(definition) {
      const place = deferred((metrics) => metrics.counter(definition))
      return {
        add(labels, by) {
          if (place.instrument) place.instrument.add(labels, by)
          else place.keep((counter) => counter.add(labels, by))
        },
      }
    },
    histogram(definition) {
      const place = deferred((metrics) => metrics.histogram(definition))
      return {
        observe(labels, value) {
          if (place.instrument) place.instrument.observe(labels, value)
          else place.keep((histogram) => histogram.observe(labels, value))
        },
      }
    },
    gauge(definition) {
      const place = deferred((metrics) => metrics.gauge(definition))
      return {
        add(labels, by) {
          if (place.instrument) place.instrument.add(labels, by)
          else place.keep((gauge) => gauge.add(labels, by))
        },
        set(labels, value) {
          if (place.instrument) place.instrument.set(labels, value)
          else place.keep((gauge) => gauge.set(labels, value))
        },
      }
    },
    attach(metrics) {
      attached = metrics
      for (const begin of waiting.splice(0)) begin(metrics)
    },
  }
}
