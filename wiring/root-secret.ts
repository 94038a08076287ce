import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlatformConfig } from '../platform/config.ts'

/** `JAN_SECRET`, else a secret that is made once and kept in the data folder, readable by its owner alone. */
export async function rootSecret({ JAN_SECRET, JAN_DATA_DIR }: PlatformConfig): Promise<string> {
  if (JAN_SECRET) return JAN_SECRET
  const file = join(JAN_DATA_DIR, 'secret')
  await mkdir(JAN_DATA_DIR, { recursive: true })
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.writeFile(randomBytes(32).toString('hex'))
    await handle.sync()
    await handle.close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return (await readFile(file, 'utf8')).trim()
}
