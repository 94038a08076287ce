import { openDatabase } from '../platform/db.ts'
import { edgePersistence } from '../platform/edge-stores/persistence.ts'
import type { Logger } from '../platform/log.ts'
import type { Subgraph } from '../platform/subgraph.ts'

/** Brings the schemas of every subgraph and of the edge up to date and closes the database again. */
export async function migrateDatabase(
  url: string,
  subgraphs: readonly Subgraph[],
  log: Logger,
): Promise<void> {
  const database = openDatabase({ url, poolSize: 2, log })
  try {
    for (const { persistence } of subgraphs) await database.attach(persistence)
    await database.attach(edgePersistence)
    await database.migrate()
  } finally {
    await database.close()
  }
}
