import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { revocationChannel } from '../../../platform/revocations.ts'
import { ApiKey } from '../entities.ts'

/** A key that is about to be stored. */
export interface NewApiKey {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly prefix: string
  readonly suffix: string
  readonly secretHash: Buffer
  readonly scopes: readonly string[]
  readonly expiresAt: Date
}

/** The SQL of API keys, narrowed to their owner. */
export interface ApiKeySource {
  /** Null when the owner has `limit` keys that work; safe against parallel requests. */
  insert(key: NewApiKey, limit: number): Promise<ApiKey | null>
  ofUser(userId: string): Promise<ApiKey[]>
  /** Null when the owner has no such key, or it was revoked before. Tells every edge. */
  revoke(userId: string, id: string): Promise<ApiKey | null>
  /** Notes when keys were used. */
  markUsed(uses: ReadonlyMap<string, Date>): Promise<void>
}

const listLimit = 500

export function apiKeySource(database: SubgraphDatabase): ApiKeySource {
  return {
    insert(key, limit) {
      return database.fork().transactional(async (em) => {
        const db = em.getKysely()
        // one owner's keys are made one after the other: the count below must not be of the past
        await sql`select from accounts.user_account where id = ${key.userId}::uuid for update`.execute(db)
        const { rows } = await sql<object>`
          insert into accounts.api_key (id, user_id, name, prefix, suffix, secret_hash, scopes, expires_at)
          select ${key.id}, ${key.userId}::uuid, ${key.name}, ${key.prefix}, ${key.suffix}, ${key.secretHash}, ${key.scopes}::text[],
            ${key.expiresAt}
          where ${limit} > (
            select count(*) from accounts.api_key
            where user_id = ${key.userId}::uuid and origin = 'user' and revoked_at is null
              and (expires_at is null or expires_at > now())
          )
          returning *`.execute(db)
        return rows[0] ? em.map(ApiKey, rows[0]) : null
      })
    },

    async ofUser(userId) {
      const em = database.fork()
      const { rows } = await sql<object>`
        select * from accounts.api_key where user_id = ${userId}::uuid
        order by (revoked_at is null and (expires_at is null or expires_at > now())) desc, key desc
        limit ${listLimit}`.execute(em.getKysely())
      return rows.map((row) => em.map(ApiKey, row))
    },

    async revoke(userId, id) {
      const em = database.fork()
      const { rows } = await sql<object>`
        with revoked as (
          update accounts.api_key set revoked_at = now()
          where id = ${id}::uuid and user_id = ${userId}::uuid and revoked_at is null
          returning *
        )
        select revoked.*, pg_notify(${revocationChannel}, 'key:' || revoked.id) from revoked`.execute(
        em.getKysely(),
      )
      return rows[0] ? em.map(ApiKey, rows[0]) : null
    },

    async markUsed(uses) {
      await sql`
        update accounts.api_key k set last_used_at = greatest(k.last_used_at, used.at)
        from unnest(${[...uses.keys()]}::uuid[], ${[...uses.values()]}::timestamptz[]) as used (id, at)
        where k.id = used.id`.execute(database.fork().getKysely())
    },
  }
}
