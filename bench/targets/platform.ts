import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../platform/testing/free-port.ts'
import { separateCores, startChild } from '../child-process.ts'
import { freeDescendants } from '../cores.ts'
import type { StartTarget, Target } from './target.ts'

/**
 * The platform as `npm start` runs it, on an empty data folder of its own: authentication, the graph and the recording of
 * usage are on; logs are quiet, as terminals differ.
 */
export const startPlatform: StartTarget = async (upstream) => {
  const dataDir = await dataFolder()
  const platform = await startOn(dataDir, upstream)
  const headers = { authorization: `Bearer ${await guestToken(platform.origin)}` }
  await modelAppears(platform.origin, headers)
  return {
    ...platform,
    headers,
    async stop() {
      await platform.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Starts on a data folder that an earlier process has filled: what `npm start` does every day but the first. */
export async function platformStartedBefore(upstream: Target) {
  const dataDir = await dataFolder()
  await (await startOn(dataDir, upstream)).stop()
  return {
    start: () => startOn(dataDir, upstream),
    remove: () => rm(dataDir, { recursive: true, force: true }),
  }
}

function dataFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'jan-bench-'))
}

async function startOn(dataDir: string, upstream: Target): Promise<Target> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: 'wiring/main.js',
    env: {
      PORT: String(port),
      JAN_DATA_DIR: dataDir,
      REMOTE_LLM_PROVIDER_URL: `${upstream.origin}/v1`,
      MODEL_DISCOVERY: 'false',
      LOG_LEVEL: 'warn',
      ACCESS_TOKEN_TTL: '24h',
    },
    readyUrl: `${origin}/readyz`,
  })
  if (separateCores) freeDescendants(child.pid)
  return { ...child, origin, headers: {} }
}

async function guestToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/llm/auth/guest-login`, { method: 'POST' })
  const { access_token } = (await response.json()) as { access_token?: string }
  if (!access_token) throw new Error(`The guest login answered ${response.status}.`)
  return access_token
}

/** The lists of providers are read at the start, but not waited for. */
async function modelAppears(origin: string, headers: Record<string, string>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const list = await (await fetch(`${origin}/v1/models`, { headers })).text()
    if (list.includes('mock-paced')) return
    await sleep(100)
  }
  throw new Error('The platform does not list the models of the mock upstream.')
}
