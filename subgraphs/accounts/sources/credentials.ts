import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { ApiKey, User } from '../entities.ts'

/** What the database says of an access token. `user` is null for identities that were never seen. */
export interface TokenStanding {
  readonly user: User | null
  readonly revoked: boolean
}

/** How an access token names its user: the built-in issuer by our id, an external one by issuer and `sub`. */
export interface TokenIdentity {
  readonly method: 'builtin' | 'oidc'
  readonly issuer: string
  readonly subject: string
}

/** The SQL behind verifying credentials: one statement each. */
export interface CredentialSource {
  /** @param sessionId the session that the token belongs to, when it has one */
  token(identity: TokenIdentity, tokenKey: string, sessionId: string | null): Promise<TokenStanding>
  apiKey(secretHash: Buffer): Promise<{ readonly key: ApiKey; readonly user: User } | null>
}

export function credentialSource(database: SubgraphDatabase): CredentialSource {
  return {
    async token({ method, issuer, subject }, tokenKey, sessionId) {
      const em = database.fork()
      const { rows } = await sql<{ id: string | null; token_revoked: boolean }>`
        select u.*,
          exists (select from accounts.revoked_token where token_key = ${tokenKey})
          or (${sessionId}::uuid is not null and not exists (
            select from accounts.session where id = ${sessionId}::uuid and revoked_at is null
          )) as token_revoked
        from (select 1) as one
        left join accounts.user_account u
          on u.identity_method = ${method} and u.identity_issuer = ${issuer} and u.identity_subject = ${subject}`.execute(
        em.getKysely(),
      )
      const [row] = rows
      return { user: row?.id ? em.map(User, row) : null, revoked: row?.token_revoked ?? true }
    },

    async apiKey(secretHash) {
      const em = database.fork()
      const { rows } = await sql<{ api_key: object; owner: object }>`
        select to_json(k) as api_key, to_json(u) as owner
        from accounts.api_key k
        join accounts.user_account u on u.id = k.user_id
        where k.secret_hash = ${secretHash}`.execute(em.getKysely())
      const [row] = rows
      return row ? { key: em.map(ApiKey, row.api_key), user: em.map(User, row.owner) } : null
    },
  }
}
