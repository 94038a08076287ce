import type { HealthCheck } from '../rest-adapter/health.ts'

const patienceMs = 1_500

/** An edge is ready when every subgraph says that it is. */
export function subgraphChecks(urls: ReadonlyMap<string, string>): HealthCheck[] {
  return [...urls].map(([name, url]) => ({
    name,
    async check() {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(patienceMs) })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`the subgraph answered ${response.status}`)
    },
  }))
}
