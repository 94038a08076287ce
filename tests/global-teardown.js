import { rmSync } from 'node:fs'

/** Removes what the global set-up made. The run fails, with its results told, where a shared server did not stop well. */
export default async function globalTeardown() {
  const { running, template, servers } = globalThis.janTestRun
  await servers.close().catch((error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exitCode = 1
  })
  await template.drop()
  if (!running) return
  await running.postgres.stop()
  rmSync(running.dataDir, { recursive: true, force: true })
}
