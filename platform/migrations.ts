import { setTimeout as sleep } from 'node:timers/promises'
import { Migration, Migrator } from '@mikro-orm/migrations'
import type pg from 'pg'
import type { Logger } from './log.ts'
import { type AttachedPersistence, migrationTable } from './pending-migrations.ts'
import { postgresCode } from './postgres-errors.ts'

/** How long migrations wait for tables that are in use. What is left out is as in production. */
export interface MigrationPatience {
  /** Milliseconds that a statement waits for a lock: for so long, whoever comes after it waits too. Default 3,000. */
  readonly lockTimeoutMs?: number
  /** Milliseconds in which others go on before it is tried again. Default 1,000. */
  readonly restMs?: number
  /** How often a subgraph's migrations are tried before the lock is given up. Default 40. */
  readonly attempts?: number
}

/** What migrations are run with. */
interface MigrationOptions extends MigrationPatience {
  readonly log: Logger
}

/**
 * Runs what is pending, subgraph by subgraph; each migration commits with its own record. One that waits for a table queues
 * everybody else behind it: it gives way, and is tried again.
 * @throws where a table stays locked
 */
export async function runMigrations(
  pool: pg.Pool,
  attached: readonly AttachedPersistence[],
  { log, lockTimeoutMs = 3_000, restMs = 1_000, attempts = 40 }: MigrationOptions,
): Promise<void> {
  for (const { orm, persistence } of attached) {
    const { name: subgraph, migrations } = persistence
    await pool.query(`create schema if not exists "${subgraph}"`)
    orm.config.set('migrations', {
      ...orm.config.get('migrations'),
      tableName: `${subgraph}.${migrationTable}`,
      snapshot: false,
      silent: true,
      allOrNothing: false,
      migrationsList: migrations.map(({ name, sql }) => ({
        name,
        class: migrationClass(sql, lockTimeoutMs),
      })),
    })
    for (let attempt = 1; ; attempt += 1) {
      try {
        await new Migrator(orm.em).up()
        break
      } catch (error) {
        if (!isLockTimeout(error) || attempt === attempts) throw error
        log.warn({ subgraph, attempt }, 'a migration waits for a table that is in use; trying again')
        await sleep(restMs)
      }
    }
  }
}

function migrationClass(sql: string, lockTimeoutMs: number) {
  return class extends Migration {
    override up(): void {
      this.addSql(`set local lock_timeout = ${lockTimeoutMs}`)
      this.addSql(sql)
    }
  }
}

function isLockTimeout(error: unknown): boolean {
  return postgresCode(error) === '55P03'
}
