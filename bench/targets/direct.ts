import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import type { Target } from './target.ts'

/** The mock upstream itself, with nothing in between: what latency is added to. */
export async function startUpstream(): Promise<Target & { readonly port: number }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/v1`
  const child = await startChild({
    script: 'bench/mock-upstream.ts',
    args: [String(port)],
    readyUrl: `${url}/models`,
  })
  return { ...child, name: 'direct', url, headers: {}, port }
}
