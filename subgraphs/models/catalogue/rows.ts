/** How a provider became known. */
export type ProviderSourceKind = 'environment' | 'file' | 'discovered' | 'builtin' | 'admin'

/** One of a provider's addresses. Lower priority numbers first; within one, calls are spread by weight. */
export interface ProviderEndpointRow {
  readonly url: string
  readonly weight: number
  readonly priority: number
}

/** Contract 2.5: which parameters a model takes; the defaults fill what a request leaves out. */
export interface SupportedParameters {
  readonly names: readonly string[]
  readonly default: Readonly<Record<string, unknown>>
}
