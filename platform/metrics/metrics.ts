/** What a process counts of its work (contract 8.12). Who counts knows nothing of who reads it. */
export interface Metrics {
  counter<Label extends string>(definition: MetricDefinition<Label>): Counter<Label>
  histogram<Label extends string>(definition: HistogramDefinition<Label>): Histogram<Label>
  gauge<Label extends string>(definition: MetricDefinition<Label>): Gauge<Label>
}

export interface MetricDefinition<Label extends string> {
  /** With its prefix, as `jan_llm_api_requests_total`. One process defines a name once. */
  readonly name: string
  readonly help: string
  /** Their values must be few: each combination is kept for as long as the process lives. */
  readonly labels: readonly Label[]
}

export interface HistogramDefinition<Label extends string> extends MetricDefinition<Label> {
  /** The upper bounds, ascending. */
  readonly buckets: readonly number[]
}

export type LabelValues<Label extends string> = Readonly<Record<Label, string>>

export interface Counter<Label extends string> {
  /** @param by 1 unless given; never negative */
  add(labels: LabelValues<Label>, by?: number): void
}

export interface Gauge<Label extends string> {
  add(labels: LabelValues<Label>, by: number): void
  set(labels: LabelValues<Label>, value: number): void
}

export interface Histogram<Label extends string> {
  observe(labels: LabelValues<Label>, value: number): void
}

/** The bounds of durations in seconds: of an answer from memory, and of a long one of a model. */
export const secondsBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
] as const

/** The bounds of what is done in memory. */
export const shortSecondsBuckets = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1] as const

/** For who asks nobody to read what is counted. */
export const noMetrics: Metrics = {
  counter: () => ({ add: () => undefined }),
  histogram: () => ({ observe: () => undefined }),
  gauge: () => ({ add: () => undefined, set: () => undefined }),
}
