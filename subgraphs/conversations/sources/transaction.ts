import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'

/** What statements run on: a transaction, or the pool. */
export type Connection = Kysely<Record<never, never>>

/** One unit of work: all of it, or nothing. Lock order: conversation, turn, branch, item. */
export function transaction<T>(database: SubgraphDatabase, work: (db: Connection) => Promise<T>): Promise<T> {
  return database.fork().transactional((em) => work(em.getKysely() as Connection))
}

/** For single statements. */
export function connection(database: SubgraphDatabase): Connection {
  return database.fork().getKysely() as Connection
}

/** A value for a `json` column: the text as JSON.stringify wrote it, escapes and all. */
export function json(value: unknown): RawBuilder<unknown> {
  return sql`${value === undefined ? null : JSON.stringify(value)}::json`
}

/** The same for statements whose text is fixed; null for what is absent. */
export function jsonText(value: unknown): string | null {
  return value == null ? null : JSON.stringify(value)
}
