import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import type { StartTarget } from './target.ts'

/** Express with nothing but files, in a folder of its own. */
export const startFileServer: StartTarget = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jan-bench-files-'))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: 'bench/file-server.ts',
    args: [String(port), folder],
    readyUrl: `${origin}/`,
  })
  return {
    ...child,
    origin,
    headers: {},
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
