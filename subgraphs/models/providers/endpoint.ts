/** Where a provider is and how it is entered. */
export interface ProviderEndpoint {
  /** The base of the API, as `https://api.openai.com/v1`. A query string (Azure's `api-version`) goes with every call. */
  readonly url: string
  readonly apiKey: string | null
  /** Contract 4.1: openai, openrouter, ollama, … */
  readonly vendor: string
}

/** Bounds of a provider call, in milliseconds (contract 2.3). */
export interface ProviderTimeouts {
  /** For a connection to come about, TLS included. The clock is undici's, which may be a second late. */
  readonly connectMs: number
  /** For the response head of every call. Null: the defaults of the kind of call. */
  readonly headMs: number | null
  /** For a whole call, whoever is asked on the way. */
  readonly totalMs: number
  /** For silence inside an answer. */
  readonly idleMs: number
}

export const defaultTimeouts: ProviderTimeouts = {
  connectMs: 5_000,
  headMs: null,
  totalMs: 600_000,
  idleMs: 120_000,
}

const remoteHeadMs = 30_000
/** A runtime on this machine may send its head only with the first token, after loading the model. */
const localHeadMs = 300_000

/** A whole completion sends its head when it is done, so that only the total bounds it. */
export type CallKind = 'completion' | 'stream' | 'query'

/** The bound for the head of one call, null for none. */
export function headTimeout(kind: CallKind, url: URL, timeouts: ProviderTimeouts): number | null {
  if (timeouts.headMs !== null) return timeouts.headMs
  if (kind === 'completion') return null
  return isThisMachine(url.hostname) ? localHeadMs : remoteHeadMs
}

function isThisMachine(hostname: string): boolean {
  return (
    /^127\.\d+\.\d+\.\d+$/.test(hostname) ||
    ['localhost', '[::1]', '0.0.0.0', 'host.docker.internal'].includes(hostname) ||
    hostname.endsWith('.localhost')
  )
}

/** The path of an operation under the base, query included; one that begins with `/` counts from the root. */
export function operationPath(base: URL, operation: string): string {
  if (operation.startsWith('/')) return `${operation}${base.search}`
  return `${base.pathname.replace(/\/+$/, '')}/${operation}${base.search}`
}

/** The credentials of every call as flat name and value pairs. Azure has its own header. */
export function credentialHeaders({ apiKey, vendor }: ProviderEndpoint): string[] {
  if (apiKey === null) return []
  return vendor === 'azure_openai' ? ['api-key', apiKey] : ['authorization', `Bearer ${apiKey}`]
}
