import {
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  PostgresDriver,
  type PostgresPoolClient,
  type TransactionSettings,
} from 'kysely'
import type pg from 'pg'

/**
 * Kysely's PostgreSQL dialect on a pool that must survive its server. As Kysely comes (0.29), connections get lost, and
 * closing the pool waits for them for ever: that of a transaction whose BEGIN or ROLLBACK fails, as they do on a connection
 * that the server has closed, and one that is still being opened when the pool is closed.
 */
export class ReleasingPostgresDialect extends PostgresDialect {
  readonly #pool: pg.Pool

  constructor(pool: pg.Pool) {
    super({ pool })
    this.#pool = pool
  }

  override createDriver(): Driver {
    return new ReleasingPostgresDriver(this.#pool)
  }
}

class ReleasingPostgresDriver extends PostgresDriver {
  readonly #pool: pg.Pool
  readonly #taken = new WeakSet<DatabaseConnection>()

  constructor(pool: pg.Pool) {
    const { options } = pool
    super({
      pool: { options, connect: async () => onLoan(await pool.connect()), end: () => pool.end() },
    })
    this.#pool = pool
  }

  override async acquireConnection(options?: Parameters<PostgresDriver['acquireConnection']>[0]) {
    const connection = await super.acquireConnection(options)
    this.#taken.add(connection)
    return connection
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings) {
    await this.#orRelease(connection as Acquired, super.beginTransaction(connection, settings))
  }

  override async rollbackTransaction(connection: DatabaseConnection) {
    await this.#orRelease(connection as Acquired, super.rollbackTransaction(connection))
  }

  /** Once only, however many owners think that the connection is theirs to return. */
  override async releaseConnection(connection: Acquired) {
    if (this.#taken.delete(connection)) await super.releaseConnection(connection)
  }

  /** Not Kysely's own, which forgets the pool at once: whoever then gets the connection that it waits for stumbles over that. */
  override async destroy() {
    await this.#pool.end()
  }

  async #orRelease(connection: Acquired, command: Promise<void>): Promise<void> {
    try {
      await command
    } catch (error) {
      await this.releaseConnection(connection)
      throw error
    }
  }
}

/** What the driver itself hands out. */
type Acquired = Parameters<PostgresDriver['releaseConnection']>[0]

/** A connection on loan that remembers whether it broke: then the pool must not lend it again. It has no cursors. */
function onLoan(client: pg.PoolClient): PostgresPoolClient {
  let broken = false
  const query = (sql: string, parameters: readonly unknown[]) =>
    client.query(sql, [...parameters]).catch((error: unknown) => {
      broken ||= isConnectionFailure(error)
      throw error
    })
  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: () => client.release(broken),
  }
}

/** Either the server has ended the session with its error, or there was no answer from it at all. */
function isConnectionFailure(error: unknown): boolean {
  const severity = error instanceof Error && 'severity' in error ? error.severity : undefined
  return severity !== 'ERROR'
}
