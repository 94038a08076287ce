import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import type { StartTarget } from './target.ts'

/**
 * The platform as `npm start` runs it, on an empty data folder of its own: authentication, the graph and the recording of
 * usage are on; logs are quiet, as terminals differ.
 */
export const startPlatform: StartTarget = async (upstream) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'jan-bench-'))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: 'wiring/main.ts',
    env: {
      PORT: String(port),
      JAN_DATA_DIR: dataDir,
      REMOTE_LLM_PROVIDER_URL: `http://127.0.0.1:${upstream.port}/v1`,
      MODEL_DISCOVERY: 'false',
      LOG_LEVEL: 'warn',
      ACCESS_TOKEN_TTL: '24h',
    },
    readyUrl: `${origin}/readyz`,
  })
  const authorization = `Bearer ${await guestToken(origin)}`
  await modelAppears(`${origin}/v1/models`, authorization)
  return {
    ...child,
    name: 'platform',
    url: `${origin}/v1`,
    headers: { authorization },
    async stop() {
      await child.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function guestToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/llm/auth/guest-login`, { method: 'POST' })
  const { access_token } = (await response.json()) as { access_token?: string }
  if (!access_token) throw new Error(`The guest login answered ${response.status}.`)
  return access_token
}

/** The lists of providers are read at the start, but not waited for. */
async function modelAppears(url: string, authorization: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const list = await (await fetch(url, { headers: { authorization } })).text()
    if (list.includes('mock-paced')) return
    await sleep(100)
  }
  throw new Error('The platform does not list the models of the mock upstream.')
}
