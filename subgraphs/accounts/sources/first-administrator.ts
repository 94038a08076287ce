import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { revocationChannel } from '../../../platform/revocations.ts'

/** The secret of an administrator's key, as it is stored. */
export interface AdministratorKey {
  readonly id: string
  readonly prefix: string
  readonly suffix: string
  readonly secretHash: Buffer
}

/** The SQL that gives the platform its first administrator. All of it may run in several processes at once. */
export interface FirstAdministratorSource {
  /** Makes the administrator unless there is one, and gives the id. */
  ensureUser(id: string): Promise<string>
  /** Makes `key` the one administrator's key that comes from the environment; null revokes those that came before. */
  setEnvironmentKey(userId: string, key: AdministratorKey | null): Promise<void>
  /** Stores `key` if no administrator's key was ever made here; tells whether it did. */
  insertFirst(userId: string, key: AdministratorKey): Promise<boolean>
}

export function firstAdministratorSource(database: SubgraphDatabase): FirstAdministratorSource {
  return {
    async ensureUser(id) {
      const { rows } = await sql<{ id: string }>`
        with made as (
          insert into accounts.user_account (
            id, identity_method, identity_issuer, identity_subject, username, name, roles, groups
          ) values (${id}, 'builtin', 'builtin', 'first-administrator', 'admin', 'Administrator', array['admin', 'user'], '{}')
          on conflict (identity_method, identity_issuer, identity_subject) do nothing
          returning id
        )
        select id from made union all
        select id from accounts.user_account
        where identity_method = 'builtin' and identity_issuer = 'builtin' and identity_subject = 'first-administrator'`.execute(
        database.fork().getKysely(),
      )
      const [row] = rows
      // another process made it between our two reads: it is there now
      return row ? row.id : this.ensureUser(id)
    },

    async setEnvironmentKey(userId, key) {
      await database.fork().transactional(async (em) => {
        const db = em.getKysely()
        await sql`
          with outdated as (
            update accounts.api_key set revoked_at = now()
            where origin = 'environment' and revoked_at is null and secret_hash is distinct from ${key?.secretHash ?? null}::bytea
            returning id
          )
          select pg_notify(${revocationChannel}, 'key:' || id) from outdated`.execute(db)
        if (!key) return
        await sql`
          insert into accounts.api_key (id, user_id, origin, name, prefix, suffix, secret_hash, scopes)
          values (${key.id}, ${userId}::uuid, 'environment', 'JAN_ADMIN_API_KEY', ${key.prefix}, ${key.suffix}, ${key.secretHash},
            array['read', 'write'])
          on conflict (secret_hash) do update set revoked_at = null where api_key.user_id = excluded.user_id`.execute(
          db,
        )
      })
    },

    async insertFirst(userId, key) {
      const { rows } = await sql`
        insert into accounts.api_key (id, user_id, origin, name, prefix, suffix, secret_hash, scopes)
        select ${key.id}, ${userId}::uuid, 'first_start', 'First administrator', ${key.prefix}, ${key.suffix}, ${key.secretHash},
          array['read', 'write']
        where not exists (select from accounts.api_key where origin <> 'user')
        on conflict do nothing
        returning id`.execute(database.fork().getKysely())
      return rows.length === 1
    },
  }
}
