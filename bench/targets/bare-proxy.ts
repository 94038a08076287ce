import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import type { StartTarget } from './target.ts'

/** The bare Node proxy. */
export const startBareProxy: StartTarget = async (upstream) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/v1`
  const child = await startChild({
    script: 'bench/bare-proxy.ts',
    args: [String(port), String(upstream.port)],
    readyUrl: `${url}/models`,
  })
  return { ...child, name: 'bare proxy', url, headers: {} }
}
