import { type RawBuilder, sql } from 'kysely'
import type { Connection } from './transaction.ts'

/** The owner's living conversations whose title is the platform's to choose (contract 2.4). */
function open(ownerId: string, id: string): RawBuilder<unknown> {
  return sql`public_id = ${id} and owner_id = ${ownerId} and deleted_at is null and not title_given
    and metadata ->> 'title_locked' is distinct from 'true'`
}

/** Takes the making of one title: true for one caller and each number of messages. */
export async function claimTitle(
  db: Connection,
  ownerId: string,
  id: string,
  userMessages: number,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update conversations.conversation set title_messages = ${userMessages}
    where ${open(ownerId, id)} and title_messages is distinct from ${userMessages}`.execute(db)
  return Number(numAffectedRows ?? 0) === 1
}

/** Stores a title that was made. False where it is no longer wanted, or the one that there is. */
export async function setTitle(db: Connection, ownerId: string, id: string, title: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update conversations.conversation set title = ${title}
    where ${open(ownerId, id)} and title is distinct from ${title}`.execute(db)
  return Number(numAffectedRows ?? 0) === 1
}
