import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { revocationChannel } from '../../../platform/revocations.ts'
import { User } from '../entities.ts'

/** A guest and its first session, as they are stored. */
export interface NewGuest {
  readonly userId: string
  readonly username: string
  readonly email: string
  readonly session: NewSession
}

/** A session with its first refresh token. */
export interface NewSession {
  readonly id: string
  readonly tokenHash: Buffer
  readonly expiresAt: Date
  readonly ip: string | null
  readonly userAgent: string | null
}

/** A session that goes on, and whose it is. */
export interface ContinuedSession {
  readonly sessionId: string
  readonly user: User
}

/** Why a refresh token can't be used; `sessionId` is known for tokens that were ours. */
export interface RefusedToken {
  readonly reason: 'unknown' | 'used' | 'expired' | 'revoked'
  readonly sessionId: string | null
}

/** The SQL of sessions. A session is the family of refresh tokens that descend from one login. */
export interface SessionSource {
  insertGuest(guest: NewGuest): Promise<User>
  /** Exchanges one refresh token for the next, in one statement: of two at the same time one gets null. */
  rotate(tokenHash: Buffer, nextHash: Buffer, expiresAt: Date): Promise<ContinuedSession | null>
  /** Why `rotate` gave null. */
  refusal(tokenHash: Buffer): Promise<RefusedToken>
  sessionOf(tokenHash: Buffer): Promise<string | null>
  /** Ends a session and tells every edge; false when there is none of that id. */
  end(sessionId: string): Promise<boolean>
  /** Makes one access token useless and tells every edge. */
  revokeToken(tokenKey: string, expiresAt: Date): Promise<void>
  /** Forgets what can't matter any more. */
  sweep(): Promise<void>
}

export function sessionSource(database: SubgraphDatabase): SessionSource {
  return {
    async insertGuest({ userId, username, email, session }) {
      const em = database.fork()
      const { rows } = await sql<object>`
        with guest as (
          insert into accounts.user_account (
            id, identity_method, identity_issuer, identity_subject, username, email, roles, groups, is_guest
          ) values (${userId}, 'builtin', 'builtin', ${userId}, ${username}, ${email}, array['guest'], array['guest'], true)
          returning *
        ), opened as (
          insert into accounts.session (id, user_id, expires_at, ip, user_agent)
          select ${session.id}, id, ${session.expiresAt}, ${session.ip}, ${session.userAgent} from guest
          returning id
        ), issued as (
          insert into accounts.refresh_token (token_hash, session_id, expires_at)
          select ${session.tokenHash}, id, ${session.expiresAt} from opened
        )
        select * from guest`.execute(em.getKysely())
      return em.map(User, rows[0] ?? {})
    },

    async rotate(tokenHash, nextHash, expiresAt) {
      const em = database.fork()
      const { rows } = await sql<{ session_id: string }>`
        with used as (
          update accounts.refresh_token t set used_at = now()
          from accounts.session s join accounts.user_account u on u.id = s.user_id
          where t.token_hash = ${tokenHash} and t.used_at is null and t.expires_at > now()
            and s.id = t.session_id and s.revoked_at is null and u.disabled_at is null and u.deleted_at is null
          returning t.session_id
        ), issued as (
          insert into accounts.refresh_token (token_hash, session_id, expires_at)
          select ${nextHash}, session_id, ${expiresAt} from used
        ), continued as (
          update accounts.session s set expires_at = ${expiresAt} from used where s.id = used.session_id
          returning s.id as session_id, s.user_id
        )
        select u.*, continued.session_id from continued join accounts.user_account u on u.id = continued.user_id`.execute(
        em.getKysely(),
      )
      const [row] = rows
      return row ? { sessionId: row.session_id, user: em.map(User, row) } : null
    },

    async refusal(tokenHash) {
      const { rows } = await sql<RefusedToken>`
        select t.session_id as "sessionId",
          case when s.revoked_at is not null or u.disabled_at is not null or u.deleted_at is not null then 'revoked'
            when t.used_at is not null then 'used'
            else 'expired' end as reason
        from accounts.refresh_token t
        join accounts.session s on s.id = t.session_id
        join accounts.user_account u on u.id = s.user_id
        where t.token_hash = ${tokenHash}`.execute(database.fork().getKysely())
      return rows[0] ?? { reason: 'unknown', sessionId: null }
    },

    async sessionOf(tokenHash) {
      const { rows } = await sql<{ session_id: string }>`
        select session_id from accounts.refresh_token where token_hash = ${tokenHash}`.execute(
        database.fork().getKysely(),
      )
      return rows[0]?.session_id ?? null
    },

    async end(sessionId) {
      const { rows } = await sql`
        with ended as (
          update accounts.session set revoked_at = coalesce(revoked_at, now()) where id = ${sessionId}::uuid returning id
        )
        select pg_notify(${revocationChannel}, 'session:' || id) from ended`.execute(
        database.fork().getKysely(),
      )
      return rows.length > 0
    },

    async revokeToken(tokenKey, expiresAt) {
      await sql`
        with revoked as (
          insert into accounts.revoked_token (token_key, expires_at) values (${tokenKey}, ${expiresAt})
          on conflict (token_key) do nothing
        )
        select pg_notify(${revocationChannel}, ${`token:${tokenKey}`})`.execute(database.fork().getKysely())
    },

    async sweep() {
      const db = database.fork().getKysely()
      await sql`delete from accounts.session where expires_at < now() - interval '1 day'`.execute(db)
      await sql`delete from accounts.refresh_token where expires_at < now() - interval '1 day'`.execute(db)
      await sql`delete from accounts.revoked_token where expires_at < now() - interval '1 day'`.execute(db)
    },
  }
}
