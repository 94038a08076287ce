import { rmSync } from 'node:fs'

/** Removes what the global set-up made. */
export default async function globalTeardown() {
  const { running, template } = globalThis.janTestRun
  await template.drop()
  if (!running) return
  await running.postgres.stop()
  rmSync(running.dataDir, { recursive: true, force: true })
}
