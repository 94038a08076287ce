import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { erasureChannel } from '../../../platform/erasures.ts'
import { revocationChannel } from '../../../platform/revocations.ts'
import { settingsChannel } from '../../../platform/settings-changes.ts'

/** The SQL of accounts that are deleted. */
export interface ErasureSource {
  /**
   * Ends a live user: its sessions and keys are gone, its row says nothing personal any more, and every subgraph is asked to
   * erase what it has. False when there is no such user (any more).
   */
  request(userId: string): Promise<boolean>
  /** The users of whom `subgraph` has something to erase, those that wait longest first. */
  pending(subgraph: string, limit: number): Promise<readonly string[]>
  confirm(subgraph: string, userIds: readonly string[]): Promise<void>
  /** What accounts itself still has of deleted users. */
  erase(userId: string): Promise<void>
  /** Frees the identities of users that were deleted a day ago: until then a token from before must find them ended. */
  sweep(): Promise<void>
}

/**
 * Requests that were running when the account was deleted may still write: each subgraph erases at once and once more
 * after the longest of them must have ended.
 */
const secondPass = sql`interval '1 hour'`

export function erasureSource(database: SubgraphDatabase): ErasureSource {
  const db = () => database.fork().getKysely()
  return {
    async request(userId) {
      return database.fork().transactional(async (em) => {
        const connection = em.getKysely()
        const { rows } = await sql`
          update accounts.user_account set
            deleted_at = now(), updated_at = now(), username = null, email = null, email_verified = false, name = null,
            picture = null, roles = '{}', groups = '{}', feature_flags = '{}'
          where id = ${userId}::uuid and deleted_at is null
          returning id`.execute(connection)
        if (rows.length === 0) return false
        await sql`delete from accounts.session where user_id = ${userId}::uuid`.execute(connection)
        await sql`delete from accounts.api_key where user_id = ${userId}::uuid`.execute(connection)
        await sql`insert into accounts.erasure (user_id) values (${userId}::uuid) on conflict do nothing`.execute(
          connection,
        )
        await sql`
          select pg_notify(${revocationChannel}, ${`user:${userId}`}), pg_notify(${erasureChannel}, '')`.execute(
          connection,
        )
        return true
      })
    },

    async pending(subgraph, limit) {
      const { rows } = await sql<{ user_id: string }>`
        select e.user_id from accounts.erasure e
        left join accounts.erased d on d.user_id = e.user_id and d.subgraph = ${subgraph}
        where d.erased_at is null
          or (d.erased_at < e.requested_at + ${secondPass} and e.requested_at + ${secondPass} <= now())
        order by e.requested_at limit ${limit}`.execute(db())
      return rows.map(({ user_id }) => user_id)
    },

    async confirm(subgraph, userIds) {
      await sql`
        insert into accounts.erased (user_id, subgraph, erased_at)
        select user_id, ${subgraph}, now() from accounts.erasure where user_id = any(${[...userIds]}::uuid[])
        on conflict (subgraph, user_id) do update set erased_at = excluded.erased_at`.execute(db())
    },

    async erase(userId) {
      await sql`delete from accounts.usage_record where user_id = ${userId}::uuid`.execute(db())
      await sql`
        with gone as (delete from accounts.user_settings where user_id = ${userId}::uuid returning user_id)
        select pg_notify(${settingsChannel}, gone.user_id::text) from gone`.execute(db())
    },

    async sweep() {
      await sql`
        delete from accounts.user_account where deleted_at < now() - interval '1 day'
          and not exists (select from accounts.session s where s.user_id = user_account.id)`.execute(db())
    },
  }
}
