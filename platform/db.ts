import { MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql'
import { Kysely, type LogEvent } from 'kysely'
import pg from 'pg'
import type { Logger } from './log.ts'
import type { MigrationPatience } from './migrations.ts'
import { type AttachedPersistence, hasPendingMigrations } from './pending-migrations.ts'
import type { Persistence } from './persistence.ts'
import { ReleasingPostgresDialect } from './postgres-driver.ts'

export type { Migration, Persistence } from './persistence.ts'
export type { SqlEntityManager as EntityManager }

/** A subgraph's own door to the shared pool. */
export interface SubgraphDatabase {
  /** A fresh unit of work: one service call, one fork, one transaction. */
  fork(): SqlEntityManager
  /**
   * One statement as its own transaction, for the paths that every request takes: each connection plans it once, under
   * `name`. Settles when it is committed.
   */
  prepared<Row>(name: string, text: string, values: readonly unknown[]): Promise<Row[]>
}

/** The process's connections to PostgreSQL. One owner opens them and closes them, last of all. */
export interface Database {
  readonly url: string
  readonly pool: pg.Pool
  /** Joins a subgraph to the pool. Opens no connection. */
  attach(persistence: Persistence): Promise<SubgraphDatabase>
  /** Brings every attached subgraph's schema up to date, under one lock across processes. */
  migrate(): Promise<void>
  /** Proves that a statement can be answered now. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** How the pool is opened. */
export interface DatabaseOptions {
  readonly url: string
  readonly poolSize: number
  readonly log: Logger
  /** How long the database may take to open a connection, in milliseconds; 10 s. */
  readonly connectMs?: number
  /** Sees the SQL of every statement that the ORM sends; tests count with it. */
  readonly onStatement?: (sql: string) => void
  /** How long migrations wait for tables that are in use; tests are less patient. */
  readonly migrationPatience?: MigrationPatience
}

/** Any constant will do: it names the lock under which migrations run. */
const migrationLock = 7_461_001

/** Opens the pool lazily: nothing is connected before the first statement. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, poolSize, connectMs = 10_000, log, onStatement, migrationPatience } = options
  const pool = new pg.Pool({
    connectionString: url,
    Client: impatient(connectMs),
    max: poolSize,
    types: columnParsers(),
    allowExitOnIdle: false,
    // A server that is gone without a word ends whoever waits for its answer within half a minute.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  // A connection that says goodbye while the server goes down too may hear of that first: by then nobody minds.
  let closing = false
  const warn = (message: string) => (error: Error) => {
    if (!closing) log.warn({ err: error }, message)
  }
  pool.on('error', warn('an idle database connection broke'))
  pool.on('connect', (client) => client.on('error', warn('a database connection broke')))
  const kysely = new Kysely({
    dialect: new ReleasingPostgresDialect(pool),
    ...(onStatement ? { log: (event: LogEvent) => onStatement(event.query.sql) } : {}),
  })
  const attached: AttachedPersistence[] = []

  return {
    url,
    pool,
    async attach(persistence) {
      // Not `init`, which looks for four packages that might extend it, for each subgraph anew; what migrates loads its own.
      const orm = new MikroORM({
        dbName: decodeURIComponent(new URL(url).pathname.slice(1)),
        schema: persistence.name,
        entities: [...persistence.entities],
        driverOptions: kysely,
        debug: false,
        logger: (message) => log.debug(message),
        discovery: { warnWhenNoEntities: false },
      })
      attached.push({ orm, persistence })
      return {
        fork: () => orm.em.fork() as SqlEntityManager,
        async prepared<Row>(name: string, text: string, values: readonly unknown[]) {
          onStatement?.(text)
          const { rows } = await pool.query({ name, text, values: [...values] })
          return rows as Row[]
        },
      }
    },
    async migrate() {
      await withLock(pool, migrationLock, async () => {
        if (!(await hasPendingMigrations(pool, attached))) return
        const { runMigrations } = await import('./migrations.ts')
        await runMigrations(pool, attached, { log, ...migrationPatience })
      })
    },
    async ping() {
      await pool.query('select 1')
    },
    async close() {
      closing = true
      await kysely.destroy()
      // Kysely leaves alone what it has not used itself.
      if (!pool.ending) await pool.end()
    },
  }
}

/**
 * Gives up a server that takes a connection and says nothing: whoever wants one, and the end of the pool, would wait for
 * ever. Not the pool's own bound, which would also count how long one waits while all connections are in use.
 */
function impatient(connectionTimeoutMillis: number): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super({
        ...(typeof config === 'string' ? { connectionString: config } : config),
        connectionTimeoutMillis,
      })
    }
  }
}

/** The pool hands dates to the ORM as text and bigints as strings: it parses them by the entity's own types. */
function columnParsers(): pg.CustomTypesConfig {
  const overrides = new pg.TypeOverrides()
  const asText = (value: string) => value
  for (const oid of [
    pg.types.builtins.DATE,
    pg.types.builtins.TIMESTAMP,
    pg.types.builtins.TIMESTAMPTZ,
    pg.types.builtins.INTERVAL,
  ]) {
    overrides.setTypeParser(oid, asText)
  }
  return overrides as pg.CustomTypesConfig
}

async function withLock<T>(pool: pg.Pool, key: number, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [key])
    return await work()
  } finally {
    await client.query('select pg_advisory_unlock($1)', [key]).finally(() => client.release())
  }
}
