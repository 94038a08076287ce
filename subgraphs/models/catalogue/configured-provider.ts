import type { ProviderEndpointRow, ProviderSourceKind } from './rows.ts'

/** A provider as somebody configured it, before it is stored. */
export interface ConfiguredProvider {
  readonly source: ProviderSourceKind
  /** Unique, and the same at every start. */
  readonly sourceKey: string
  readonly name: string
  /** Lower case (contract 4.1). */
  readonly vendor: string
  readonly endpoints: readonly ProviderEndpointRow[]
  readonly apiKey: string | null
  readonly category: 'llm' | 'image'
  readonly metadata: Readonly<Record<string, unknown>>
  /** Models of a provider that lists none. */
  readonly models: readonly string[]
}

/** A provider at one address. */
export function singleEndpoint(url: string): readonly ProviderEndpointRow[] {
  return [{ url, weight: 1, priority: 1 }]
}
