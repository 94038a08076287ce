import type { MikroORM } from '@mikro-orm/postgresql'
import type pg from 'pg'
import type { Persistence } from './persistence.ts'

/** A subgraph's persistence beside the ORM instance that serves it. */
export interface AttachedPersistence {
  readonly orm: MikroORM
  readonly persistence: Persistence
}

/** The table, one in each subgraph's schema, that records which migrations ran. */
export const migrationTable = 'schema_migration'

/** Whether any subgraph has a migration that this database has not seen: one statement, without loading the migrator. */
export async function hasPendingMigrations(
  pool: pg.Pool,
  attached: readonly AttachedPersistence[],
): Promise<boolean> {
  const owners = attached.map(({ persistence }) => persistence)
  const { rows } = await pool.query<{ schema: string }>(
    `select table_schema as schema from information_schema.tables where table_name = $1`,
    [migrationTable],
  )
  const known = new Set(rows.map((row) => row.schema))
  if (owners.some(({ name }) => !known.has(name))) return true
  const applied = await pool.query<{ id: string }>(
    owners
      .map(({ name }) => `select '${name}/' || name as id from "${name}"."${migrationTable}"`)
      .join(' union all '),
  )
  const seen = new Set(applied.rows.map((row) => row.id))
  return owners.some(({ name, migrations }) =>
    migrations.some((migration) => !seen.has(`${name}/${migration.name}`)),
  )
}
