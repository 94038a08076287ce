import DataLoader from 'dataloader'
import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { isUniqueViolation } from '../../../platform/postgres-errors.ts'
import { revocationChannel } from '../../../platform/revocations.ts'
import { User } from '../entities.ts'

/** What an external issuer's token says of its user. */
export type ExternalProfile = Pick<
  User,
  | 'identityIssuer'
  | 'identitySubject'
  | 'username'
  | 'email'
  | 'emailVerified'
  | 'name'
  | 'picture'
  | 'roles'
  | 'groups'
  | 'featureFlags'
  | 'isGuest'
  | 'isAdmin'
>

/** What an upgrade gives a guest. Null leaves what the guest has. */
export interface UpgradeFields {
  readonly email: string
  readonly username: string | null
  readonly name: string | null
}

/** The SQL of users. */
export interface UserSource {
  /** A live user. */
  byId(id: string): Promise<User | null>
  /** Null when the user is no guest (any more). @throws AppError `already_exists` when the address is another's */
  upgrade(id: string, fields: UpgradeFields): Promise<User | null>
  /** The user behind an external identity, made on first sight and kept up with what its tokens say. Null when it was deleted. */
  seen(id: string, profile: ExternalProfile): Promise<User | null>
  clearLoaders(): void
}

/** A source for one request. */
export function userSource(database: SubgraphDatabase): UserSource {
  const loader = new DataLoader<string, User | null>((ids) => readMany(database, ids))
  return {
    byId: (id) => loader.load(id),
    clearLoaders: () => void loader.clearAll(),

    async upgrade(id, { email, username, name }) {
      const em = database.fork()
      const statement = sql<object>`
        with upgraded as (
          update accounts.user_account u
          set email = ${email}, email_verified = true, username = coalesce(${username}, u.username),
            name = coalesce(${name}, u.name), is_guest = false, updated_at = now(),
            roles = array['user'], groups = array['standard']
          where u.id = ${id}::uuid and u.is_guest and u.deleted_at is null and not exists (
            select from accounts.user_account other
            where lower(other.email) = lower(${email}) and other.id <> u.id and other.deleted_at is null
          )
          returning u.*
        )
        select upgraded.*, pg_notify(${revocationChannel}, 'user:' || upgraded.id) from upgraded`
      try {
        const { rows } = await statement.execute(em.getKysely())
        if (rows[0]) return em.map(User, rows[0])
      } catch (error) {
        if (isUniqueViolation(error, 'user_email')) throw emailTaken(error)
        throw error
      }
      if ((await em.count(User, { id, isGuest: true, deletedAt: null })) === 0) return null
      throw emailTaken()
    },

    async seen(id, profile) {
      const em = database.fork()
      const { rows } = await sql<object>`
        insert into accounts.user_account as u (
          id, identity_method, identity_issuer, identity_subject, username, email, email_verified, name, picture, roles,
          groups, feature_flags, is_guest, is_admin
        ) values (
          ${id}, 'oidc', ${profile.identityIssuer}, ${profile.identitySubject}, ${profile.username}, ${profile.email},
          ${profile.emailVerified}, ${profile.name}, ${profile.picture}, ${profile.roles}, ${profile.groups},
          ${profile.featureFlags}, ${profile.isGuest}, ${profile.isAdmin}
        )
        on conflict (identity_method, identity_issuer, identity_subject) do update set
          username = excluded.username, email = excluded.email, email_verified = excluded.email_verified,
          name = excluded.name, picture = excluded.picture, roles = excluded.roles, groups = excluded.groups,
          feature_flags = excluded.feature_flags, is_guest = excluded.is_guest, is_admin = excluded.is_admin,
          updated_at = now()
        where u.deleted_at is null
        returning u.*`.execute(em.getKysely())
      return rows[0] ? em.map(User, rows[0]) : null
    },
  }
}

async function readMany(database: SubgraphDatabase, ids: readonly string[]) {
  const rows = await database.fork().find(User, { id: { $in: [...ids] }, deletedAt: null })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

function emailTaken(cause?: unknown): AppError {
  return new AppError('already_exists', 'Another user has this address already.', { param: 'email', cause })
}
