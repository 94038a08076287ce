import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../platform/embedded/postgres.ts'
import { freePort } from '../../platform/testing/free-port.ts'
import { root, startChild } from '../child-process.ts'
import { generateDataset } from '../dataset/generate.ts'
import { datasetSize } from '../dataset/size.ts'
import type { StartTarget } from './target.ts'

/**
 * The platform on a large data set, as its owner asks it. The data set is made at the first run and stays in the ignored
 * folder `.bench/`: 15 GB of disk and half an hour or so. Its files are read once beforehand, so that the system has them in memory
 * where they fit, as it has those of a server that has been up for a day.
 */
export const startFilledPlatform: StartTarget = async () => {
  const folder = join(root, '.bench', `dataset-${datasetSize.conversations}`)
  const keyFile = join(folder, 'owner-key')
  // what a run that was broken off has left behind is half of a data set
  if (!existsSync(keyFile)) await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const postgres = await startEmbeddedPostgres({ dataDir: folder })
  await readAll(join(folder, 'postgres', 'base'))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const start = () =>
    startChild({
      script: 'wiring/main.js',
      env: {
        PORT: String(port),
        DATABASE_URL: postgres.url,
        JAN_SECRET: 'a root secret for the bench only',
        MODEL_DISCOVERY: 'false',
        LOG_LEVEL: 'warn',
      },
      readyUrl: `${origin}/readyz`,
    })
  const fill = async () => {
    const empty = await start()
    const owner = await makeOwner(origin).finally(() => empty.stop())
    await generateDataset(postgres.url, owner.id, datasetSize, (line) => process.stdout.write(`${line}\n`))
    await writeFile(keyFile, owner.key)
  }
  const child = await (existsSync(keyFile) ? start() : fill().then(start)).catch(async (error: unknown) => {
    await postgres.stop()
    throw error
  })
  return {
    ...child,
    origin,
    headers: { 'x-api-key': await readFile(keyFile, 'utf8') },
    async stop() {
      await child.stop()
      await postgres.stop()
    },
  }
}

async function readAll(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const bytes = createReadStream(join(entry.parentPath, entry.name), { highWaterMark: 1024 * 1024 })
    for await (const _ of bytes);
  }
}

/** An account with a key that outlives this run. */
async function makeOwner(origin: string): Promise<{ id: string; key: string }> {
  const ask = async <Answer>(path: string, token: string | null, body: object): Promise<Answer> => {
    const response = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Answer
  }
  const { access_token } = await ask<{ access_token: string }>('/llm/auth/guest-login', null, {})
  const { data } = await ask<{ data: { me: { id: string } } }>('/graphql', access_token, {
    query: '{ me { id } }',
  })
  const { key } = await ask<{ key: string }>('/auth/api-keys', access_token, { name: 'bench' })
  return { id: data.me.id, key }
}
