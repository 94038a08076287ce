import { openDatabase } from '../platform/db.ts'
import type { Logger } from '../platform/log.ts'
import type { Subgraph } from '../platform/subgraph.ts'

/** Brings the schema of every subgraph up to date and closes the database again. */
export async function migrateDatabase(
  url: string,
  subgraphs: readonly Subgraph[],
  log: Logger,
): Promise<void> {
  const database = openDatabase({ url, poolSize: 2, log })
  try {
    for (const { persistence } of subgraphs) await database.attach(persistence)
    await database.migrate()
  } finally {
    await database.close()
  }
}
