import { createHttpProvider } from './http-provider.ts'
import type { ProviderModel } from './provider.ts'

/** A place where a model runtime may listen. */
export interface RuntimeCandidate {
  /** Contract 4.1. */
  readonly vendor: string
  /** For people. */
  readonly name: string
  /** The base of its OpenAI-compatible API. */
  readonly url: string
}

/** A runtime that answered. */
export interface DiscoveredRuntime extends RuntimeCandidate {
  /** May be empty: a runtime without models runs, but serves nothing. */
  readonly models: readonly ProviderModel[]
}

/** The usual ports of the runtimes that people run on their machine. */
export const usualRuntimes: readonly RuntimeCandidate[] = [
  { vendor: 'jan', name: 'Jan', url: 'http://127.0.0.1:1337/v1' },
  { vendor: 'ollama', name: 'Ollama', url: 'http://127.0.0.1:11434/v1' },
  { vendor: 'custom', name: 'LM Studio', url: 'http://127.0.0.1:1234/v1' },
  { vendor: 'custom', name: 'llama.cpp', url: 'http://127.0.0.1:8080/v1' },
  { vendor: 'vllm', name: 'vLLM', url: 'http://127.0.0.1:8000/v1' },
]

export interface DiscoveryOptions {
  /** Default `usualRuntimes`. */
  readonly candidates?: readonly RuntimeCandidate[]
  /** Ports that are not asked: our own above all. */
  readonly exceptPorts?: readonly number[]
  /** Milliseconds for each candidate; all are asked at once. Default 300. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Asks each candidate for its models. Whatever does not answer in time with an OpenAI-compatible list (nothing there,
 * another kind of server, one that wants a key) is left out. Never rejects.
 */
export async function discoverRuntimes(options: DiscoveryOptions = {}): Promise<DiscoveredRuntime[]> {
  const { candidates = usualRuntimes, exceptPorts = [], timeoutMs = 300, signal } = options
  const asked = candidates.filter(({ url }) => !exceptPorts.includes(portOf(new URL(url))))
  const found = await Promise.all(asked.map((candidate) => probe(candidate, timeoutMs, signal)))
  return found.filter((runtime) => runtime !== null)
}

async function probe(
  candidate: RuntimeCandidate,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<DiscoveredRuntime | null> {
  const provider = createHttpProvider({ url: candidate.url, vendor: candidate.vendor, apiKey: null })
  const deadline = AbortSignal.timeout(timeoutMs)
  try {
    return {
      ...candidate,
      models: await provider.listModels(signal ? AbortSignal.any([signal, deadline]) : deadline),
    }
  } catch {
    // Nothing there that we could use, which is the usual case and no fault of anybody's.
    return null
  } finally {
    // Not awaited: undici closes only after a connection attempt that was given up has run its course.
    void provider.close()
  }
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
}
