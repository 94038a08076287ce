import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { freePort } from '../platform/testing/free-port.ts'
import { createTestDatabase } from '../platform/testing/test-database.ts'
import { startProgram } from './program.ts'

/** Null while nobody listens. */
const statusOf = (url: string) =>
  fetch(url).then(
    ({ status }) => status,
    () => null,
  )

it('a subgraph process is alive before it is ready, and ready only once its own start is over', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const database = await createTestDatabase()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const names = ['accounts', 'projects', 'memory', 'conversations', 'media', 'models']
  const process = startProgram(['node', 'wiring/main.js', 'subgraph', 'models'], {
    env: {
      ENVIRONMENT: 'test',
      MODEL_DISCOVERY: 'false',
      DATABASE_URL: database.url,
      JAN_SECRET: 'a root secret for tests only',
      SUBGRAPH_URLS: names.map((name) => `${name}=${url}`).join(','),
      PORT: String(port),
      // The start waits some seconds for its list of models.
      VLLM_PROVIDER_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`,
    },
  })
  try {
    const seen: string[] = []
    for (let tries = 0; tries < 600 && seen.at(-1) !== '200 200'; tries += 1) {
      const state = [await statusOf(`${url}/healthz`), await statusOf(`${url}/readyz`)].join(' ')
      if (state !== seen.at(-1)) seen.push(state)
      await sleep(20)
    }
    expect({ seen: seen.filter((state) => state.startsWith('200')), output: process.output() }).toMatchObject(
      {
        seen: ['200 503', '200 200'],
      },
    )
  } finally {
    process.signalGroup('SIGTERM')
    await process.ended
    silent.closeAllConnections()
    silent.close()
    await database.drop()
  }
}, 60_000)
