/** Tells of what a process does as spans of traces (contract 8.12). Who tells knows nothing of who collects them. */
export interface Tracing {
  /** @param parent the `traceparent` under which it happens; null begins a trace */
  begin(name: string, options: SpanOptions): Span
}

export interface SpanOptions {
  /** `server`: a request that came; `client`: one that goes out. */
  readonly kind: 'server' | 'client'
  readonly parent: string | null
  readonly attributes?: SpanAttributes
}

/** By OpenTelemetry's names. Never texts, credentials or query strings. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

export interface Span {
  /** What is to be sent on, so that what others do happens under this span; null where nothing is traced. */
  readonly traceparent: string | null
  /** Only the first end counts. */
  end(outcome?: SpanOutcome): void
}

/** What is known of a span when it ends. */
export interface SpanOutcome {
  /** In place of the name that it began with. */
  readonly name?: string
  readonly attributes?: SpanAttributes
  /** What it failed of, as a code. */
  readonly failure?: string | undefined
}

/** For who collects nothing. */
export const noTracing: Tracing = { begin: () => noSpan }

/** Of what is not traced. */
export const noSpan: Span = { traceparent: null, end: () => undefined }
