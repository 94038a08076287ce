import type { EntityClass, EntitySchema } from '@mikro-orm/core'

/** One step of a subgraph's schema: plain SQL, run once, in order of the list. */
export interface Migration {
  /** Sorts and identifies it: `0001_projects`. Never renamed once released. */
  readonly name: string
  readonly sql: string
}

/** What a subgraph keeps in PostgreSQL: its own schema (namespace), named as the subgraph is. */
export interface Persistence {
  readonly name: string
  readonly entities: readonly (EntityClass | EntitySchema)[]
  readonly migrations: readonly Migration[]
}
