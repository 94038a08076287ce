import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import { startSubgraphs } from '../graph/running-subgraphs.ts'
import { installedPeer } from '../peers/install.ts'
import type { StartTarget } from './target.ts'

/** Hive Gateway with its Rust query planner (router-runtime), over the bench's two subgraphs. */
export const startHive: StartTarget = async () => {
  const folder = await installedPeer('hive')
  const subgraphs = await startSubgraphs()
  const data = await mkdtemp(join(tmpdir(), 'jan-bench-'))
  const supergraph = join(data, 'supergraph.graphql')
  await writeFile(supergraph, subgraphs.supergraphSdl)
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: `${folder}/node_modules/@graphql-hive/gateway/dist/bin.js`,
    args: ['supergraph', supergraph, '--hive-router-runtime', '--host=127.0.0.1', `--port=${port}`],
    env: { NODE_ENV: 'production', LOG_LEVEL: 'warn' },
    readyUrl: `${origin}/readiness`,
  })
  return {
    ...child,
    origin,
    headers: {},
    async stop() {
      await child.stop()
      await subgraphs.stop()
      await rm(data, { recursive: true, force: true })
    },
  }
}
