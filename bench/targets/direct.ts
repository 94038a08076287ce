import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import type { Target } from './target.ts'

/** The mock upstream itself, with nothing in between: what latency is added to. */
export async function startUpstream(): Promise<Target> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: 'bench/mock-upstream.ts',
    args: [String(port)],
    readyUrl: `${origin}/v1/models`,
    isLoad: true,
  })
  return { ...child, origin, headers: {} }
}
