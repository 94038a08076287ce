import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { EmbeddedPostgres } from '../embedded/postgres.ts'

/** Starts another process that runs the database of `dataDir` and holds its lock; for tests. */
export async function startHolder(
  dataDir: string,
  port: number,
): Promise<{ process: ChildProcess; database: Omit<EmbeddedPostgres, 'stop'> }> {
  const file = fileURLToPath(new URL('./holder-process.ts', import.meta.url))
  const child = spawn(process.execPath, [file, dataDir, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (!child.stdout) throw new Error('the holder has no output')
  const [line] = await once(createInterface(child.stdout), 'line')
  return { process: child, database: JSON.parse(String(line)) }
}

/** Ends a process as a crash would, and waits until it is gone. */
export async function crash(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
