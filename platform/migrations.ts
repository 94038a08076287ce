import { Migration, Migrator } from '@mikro-orm/migrations'
import type pg from 'pg'
import { type AttachedPersistence, migrationTable } from './pending-migrations.ts'

/** Runs what is pending, subgraph by subgraph; each migration commits with its own record. */
export async function runMigrations(pool: pg.Pool, attached: readonly AttachedPersistence[]): Promise<void> {
  for (const { orm, persistence } of attached) {
    await pool.query(`create schema if not exists "${persistence.name}"`)
    orm.config.set('migrations', {
      ...orm.config.get('migrations'),
      tableName: `${persistence.name}.${migrationTable}`,
      snapshot: false,
      silent: true,
      allOrNothing: false,
      migrationsList: persistence.migrations.map(({ name, sql }) => ({ name, class: migrationClass(sql) })),
    })
    await new Migrator(orm.em).up()
  }
}

function migrationClass(sql: string) {
  return class extends Migration {
    override up(): void {
      this.addSql(sql)
    }
  }
}
