/** How a provider became known. */
export type ProviderSourceKind = 'environment' | 'file' | 'discovered' | 'builtin' | 'admin'

/** One of a provider's addresses. Lower priority numbers first; within one, calls are spread by weight. */
export interface ProviderEndpointRow {
  readonly url: string
  readonly weight: number
  readonly priority: number
  /** Calls that it takes at once, 0 for no bound. Where it is left out `PROVIDER_MAX_CONCURRENCY` holds. */
  readonly maxConcurrency?: number
}

/** Contract 2.5: which parameters a model takes; the defaults fill what a request leaves out. */
export interface SupportedParameters {
  readonly names: readonly string[]
  readonly default: Readonly<Record<string, unknown>>
}
