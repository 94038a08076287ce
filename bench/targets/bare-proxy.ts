import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import type { StartTarget } from './target.ts'

/** The bare Node proxy. */
export const startBareProxy: StartTarget = async (upstream) => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: 'bench/bare-proxy.ts',
    args: [String(port), new URL(upstream.origin).port],
    readyUrl: `${origin}/v1/models`,
  })
  return { ...child, origin, headers: {} }
}
