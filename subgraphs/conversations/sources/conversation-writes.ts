import { type RawBuilder, sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { hasIdShape, newId } from '../../../platform/ids.ts'
import type { Metadata } from '../content/metadata.ts'
import { type Connection, connection, json } from './transaction.ts'

/** What a conversation begins with. */
export interface NewConversation {
  readonly title: string | null
  /** Whether a person chose the title, so that the platform leaves it alone. */
  readonly titleGiven: boolean
  readonly metadata: Metadata
  readonly referrer: string | null
  readonly projectId: string | null
  readonly instructionVersion: number | null
  readonly instructionSnapshot: string | null
}

/** A conversation whose row this transaction holds: nobody else appends to it or changes its branches meanwhile. */
export interface LockedConversation {
  readonly key: string
  readonly id: string
  readonly title: string | null
  readonly metadata: Metadata
  readonly activeBranchKey: string
}

/** Columns of a conversation that change. */
export interface ConversationChange {
  readonly title?: string | null
  readonly titleGiven?: boolean
  readonly metadata?: Metadata
  readonly referrer?: string | null
  readonly projectId?: string | null
  readonly instructionVersion?: number | null
  readonly instructionSnapshot?: string | null
  readonly archivedAt?: Date | null
}

const lockedColumns = sql`c.key, c.public_id as id, c.title, c.metadata, c.active_branch_key as "activeBranchKey"`

/** Inserts a conversation with its branch `MAIN`. */
export async function createConversation(
  db: Connection,
  ownerId: string,
  fields: NewConversation,
): Promise<LockedConversation> {
  const { title, titleGiven, metadata, referrer, projectId, instructionVersion, instructionSnapshot } = fields
  const { rows } = await sql<LockedConversation>`
    with main as (
      select nextval(pg_get_serial_sequence('conversations.branch', 'key')) as key
    ), c as (
      insert into conversations.conversation (public_id, owner_id, title, title_given, metadata, referrer, project_id,
        instruction_version, instruction_snapshot, active_branch_key)
      select ${newId('conversation')}, ${ownerId}::uuid, ${title}::text, ${titleGiven}::boolean, ${json(metadata)}, ${referrer}::text, ${projectId}::text,
        ${instructionVersion}::integer, ${instructionSnapshot}::text, main.key
      from main
      returning *
    ), branch as (
      insert into conversations.branch (key, conversation_key, name) select main.key, c.key, 'MAIN' from main, c
    )
    select ${lockedColumns} from c`.execute(db)
  return onlyRow(rows)
}

/** Locks a living conversation and marks it as changed now. Null when the owner has no such conversation. */
export async function lockConversation(
  db: Connection,
  ownerId: string,
  id: string,
): Promise<LockedConversation | null> {
  if (!hasIdShape('conversation', id)) return null
  const { rows } = await sql<LockedConversation>`
    update conversations.conversation c set updated_at = now()
    where c.public_id = ${id} and c.owner_id = ${ownerId} and c.deleted_at is null
    returning ${lockedColumns}`.execute(db)
  return rows[0] ?? null
}

/** Writes what is given and leaves the rest. */
export async function changeConversation(
  db: Connection,
  key: string,
  change: ConversationChange,
): Promise<void> {
  const { title, titleGiven, metadata, referrer, projectId, archivedAt } = change
  const { instructionVersion, instructionSnapshot } = change
  const assignments = [
    ...(title === undefined ? [] : [sql`title = ${title}`]),
    ...(titleGiven === undefined ? [] : [sql`title_given = ${titleGiven}`]),
    ...(metadata === undefined ? [] : [sql`metadata = ${json(metadata)}`]),
    ...(referrer === undefined ? [] : [sql`referrer = ${referrer}`]),
    ...(projectId === undefined ? [] : [sql`project_id = ${projectId}`]),
    ...(instructionVersion === undefined ? [] : [sql`instruction_version = ${instructionVersion}`]),
    ...(instructionSnapshot === undefined ? [] : [sql`instruction_snapshot = ${instructionSnapshot}`]),
    ...(archivedAt === undefined ? [] : [sql`archived_at = ${archivedAt}`]),
  ]
  if (assignments.length === 0) return
  await sql`update conversations.conversation set ${sql.join(assignments)} where key = ${key}`.execute(db)
}

/** So many are deleted in one transaction: an account may have a hundred thousand, and nobody shall wait for their locks. */
const deletedAtOnce = 1_000

/** Soft delete of the owner's conversations with these ids, which are at most a batch. @returns the ids of those that there were */
export async function deleteConversations(
  db: Connection,
  ownerId: string,
  ids: readonly string[],
): Promise<string[]> {
  const possible = ids.filter((id) => hasIdShape('conversation', id))
  return deleteWhere(db, ownerId, sql`and public_id = any(${possible}::text[])`)
}

/** Soft delete of all that the owner has, in short transactions; told how many there were. A second call goes on where a first broke off. */
export async function deleteAllConversations(database: SubgraphDatabase, ownerId: string): Promise<number> {
  let count = 0
  for (;;) {
    const deleted = await deleteWhere(connection(database), ownerId, sql``)
    count += deleted.length
    if (deleted.length < deletedAtOnce) return count
  }
}

/** In the order of the keys: whoever deletes some of the same at the same time must not wait for each other in a circle. */
async function deleteWhere(db: Connection, ownerId: string, which: RawBuilder<unknown>): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with doomed as (
      select key from conversations.conversation
      where owner_id = ${ownerId}::uuid and deleted_at is null ${which}
      order by key limit ${deletedAtOnce} for no key update
    )
    update conversations.conversation c set deleted_at = now() from doomed where c.key = doomed.key
    returning c.public_id as id`.execute(db)
  return rows.map(({ id }) => id)
}

function onlyRow<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('An insert returned no row.')
  return row
}
