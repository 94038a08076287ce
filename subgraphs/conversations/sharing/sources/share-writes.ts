import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../../platform/db.ts'
import { newId, newShareSlug } from '../../../../platform/ids.ts'
import { json, transaction } from '../../sources/transaction.ts'
import type { Snapshot } from '../snapshot.ts'
import { type ShareRow, shareColumns } from './share-row.ts'

/** What a share is made of. */
export interface NewShare {
  readonly conversationKey: string
  readonly ownerId: string
  readonly itemId: string | null
  readonly title: string
  readonly includesImages: boolean
  readonly includesContext: boolean
  /** In seconds; null for a link that does not end by itself. */
  readonly expiresIn: number | null
  readonly snapshot: Snapshot
}

const columns = sql.raw(shareColumns)

/**
 * Stores a share and revokes the conversation's earlier ones. Whoever shares a conversation holds it meanwhile, so that of
 * several at once one is left. Null when the conversation has been deleted.
 */
export function createShare(database: SubgraphDatabase, share: NewShare): Promise<ShareRow | null> {
  const { conversationKey, ownerId, itemId, title, includesImages, includesContext, expiresIn } = share
  return transaction(database, async (db) => {
    const { rows: held } = await sql`
      select key from conversations.conversation where key = ${conversationKey} and deleted_at is null
      for no key update`.execute(db)
    if (held.length === 0) return null
    await sql`
      update conversations.share set revoked_at = now(), updated_at = now(), snapshot = null
      where conversation_key = ${conversationKey} and revoked_at is null`.execute(db)
    const { rows } = await sql<ShareRow>`
      with s as (
        insert into conversations.share (
          public_id, slug, conversation_key, owner_id, item_id, title, includes_images, includes_context, snapshot,
          expires_at
        )
        values (
          ${newId('share')}, ${newShareSlug()}, ${conversationKey}, ${ownerId}, ${itemId}, ${title},
          ${includesImages}, ${includesContext}, ${json(share.snapshot)}, now() + make_interval(secs => ${expiresIn})
        )
        returning *
      )
      select ${columns} from s join conversations.conversation c on c.key = s.conversation_key`.execute(db)
    return rows[0] ?? null
  })
}

/** Which share is to be revoked. */
export interface ShareName {
  readonly ownerId: string
  readonly id: string
  /** The living conversation that it must be of; null: whichever. */
  readonly conversationId: string | null
}

/** Revokes a living share and forgets its snapshot. Null when there is none. */
export async function revokeShare(database: SubgraphDatabase, name: ShareName): Promise<ShareRow | null> {
  const [revoked] = await database.prepared<ShareRow>('revoke_share', revokeLivingShare, valuesOf(name))
  return revoked ?? null
}

/** Whether there is such a share, living or not. */
export async function isShare(database: SubgraphDatabase, name: ShareName): Promise<boolean> {
  return (await database.prepared('is_share', existingShare, valuesOf(name))).length > 0
}

const valuesOf = ({ id, ownerId, conversationId }: ShareName) => [id, ownerId, conversationId]

const named = `
  s.public_id = $1 and s.owner_id = $2 and c.key = s.conversation_key
    and ($3::text is null or (c.public_id = $3 and c.deleted_at is null))`

const revokeLivingShare = `
  update conversations.share s set revoked_at = now(), updated_at = now(), snapshot = null
  from conversations.conversation c
  where ${named} and s.revoked_at is null and c.deleted_at is null
  returning ${shareColumns}`

const existingShare = `select 1 from conversations.share s, conversations.conversation c where ${named}`
