import { readFileSync } from 'node:fs'
import { type PersistedOperations, readManifest } from '../gateway/http/index.ts'
import { ConfigError, type PlatformConfig } from '../platform/config.ts'

/** The registered operations of clients; null where there are none. @throws ConfigError */
export function loadPersistedOperations({
  PERSISTED_OPERATIONS_FILE,
  PERSISTED_OPERATIONS_ONLY,
}: PlatformConfig): PersistedOperations | null {
  if (PERSISTED_OPERATIONS_FILE === undefined) {
    if (!PERSISTED_OPERATIONS_ONLY) return null
    throw new ConfigError(
      'PERSISTED_OPERATIONS_ONLY: needs PERSISTED_OPERATIONS_FILE, or nothing would be answered',
    )
  }
  try {
    const texts = readManifest(readFileSync(PERSISTED_OPERATIONS_FILE, 'utf8'))
    return { texts, only: PERSISTED_OPERATIONS_ONLY }
  } catch (cause) {
    throw new ConfigError(
      `PERSISTED_OPERATIONS_FILE: ${PERSISTED_OPERATIONS_FILE} is no manifest of operations: ${(cause as Error).message}`,
    )
  }
}
