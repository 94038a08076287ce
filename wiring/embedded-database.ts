import type { PlatformConfig } from '../platform/config.ts'
import { acquireInstanceLock } from '../platform/embedded/instance-lock.ts'
import { startEmbeddedPostgres } from '../platform/embedded/postgres.ts'
import type { StopStack } from './stop-stack.ts'

/**
 * The embedded PostgreSQL of the data folder, held by this process alone and stopped with it; or the server of
 * `DATABASE_URL`, which is shared and left alone.
 * @param onProcess told when PostgreSQL is on its way
 * @throws InstanceLockedError when another process serves this data folder
 */
export async function embeddedDatabase(
  platform: PlatformConfig,
  stack: StopStack,
  onProcess?: () => void,
): Promise<{ url: string }> {
  if (platform.DATABASE_URL) return { url: platform.DATABASE_URL }
  const postgres = await startEmbeddedPostgres({
    dataDir: platform.JAN_DATA_DIR,
    onProgress: (message) => process.stderr.write(`  ${message}\n`),
    ...(onProcess ? { onProcess } : {}),
  })
  const lock = await acquireInstanceLock({ databaseUrl: postgres.url, port: platform.PORT })
  lock.onLost(() => {
    process.stderr.write(
      'The lock on the data folder was lost with its connection: stopping, so that no two processes write to it.\n',
    )
    process.kill(process.pid, 'SIGTERM')
  })
  stack.push('embedded PostgreSQL', () => lock.releaseAfter(postgres.stop))
  return { url: postgres.url }
}
