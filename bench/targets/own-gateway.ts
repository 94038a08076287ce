import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import { startSubgraphs } from '../graph/running-subgraphs.ts'
import type { StartTarget, Target } from './target.ts'

/** Our gateway over the same two subgraphs by the same HTTP as the peer's. */
export const startGatewayOverHttp: StartTarget = async () => {
  const subgraphs = await startSubgraphs()
  const target = await start([subgraphs.urls.conversations, subgraphs.urls.projects])
  return {
    ...target,
    async stop() {
      await target.stop()
      await subgraphs.stop()
    },
  }
}

/** Our gateway with the same two subgraphs in its own process, as the platform has its own. */
export const startGatewayInProcess: StartTarget = () => start([])

async function start(subgraphUrls: readonly string[]): Promise<Target> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: 'bench/graph/gateway-server.ts',
    args: [String(port), ...subgraphUrls],
    readyUrl: origin,
  })
  return { ...child, origin, headers: {} }
}
