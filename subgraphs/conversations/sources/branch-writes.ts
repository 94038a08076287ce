import { sql } from 'kysely'
import { hasIdShape, newId } from '../../../platform/ids.ts'
import type { Block } from '../content/blocks.ts'
import type { LockedConversation } from './conversation-writes.ts'
import type { Connection } from './transaction.ts'

/** The branch that a conversation begins with. */
export const mainBranch = 'MAIN'

/** A branch and what it ends with. */
export interface BranchTail {
  readonly key: string
  readonly name: string
  readonly itemCount: number
  readonly lastRole: string | null
  readonly lastContent: readonly Block[] | null
}

/** Where an item stands. */
export interface ItemPlace {
  readonly itemKey: string
  readonly branchKey: string
  readonly position: number
}

/** `main` is `MAIN` (contract 3.4). */
export function branchName(name: string): string {
  return name.toUpperCase() === mainBranch ? mainBranch : name
}

/** Whether a branch could have that name: PostgreSQL refuses to be asked for some. */
export function isStorableName(name: string): boolean {
  return !name.includes('\u0000')
}

/** The branch of that name, the active one when none is named. Null when there is none. */
export async function branchTail(
  db: Connection,
  conversation: LockedConversation,
  name: string | null,
): Promise<BranchTail | null> {
  if (name !== null && !isStorableName(name)) return null
  const { rows } = await sql<BranchTail>`
    select b.key, b.name, b.item_count as "itemCount", i.role as "lastRole", i.content as "lastContent"
    from conversations.branch b
    left join conversations.branch_item bi on bi.branch_key = b.key and bi.position = b.item_count
    left join conversations.item i on i.key = bi.item_key
    where b.conversation_key = ${conversation.key}
      and ${name === null ? sql`b.key = ${conversation.activeBranchKey}` : sql`b.name = ${branchName(name)}`}`.execute(
    db,
  )
  return rows[0] ?? null
}

/** Where an item stands on the active branch; on the branch of the given id where the active one does not have it. */
export async function findItem(
  db: Connection,
  conversation: LockedConversation,
  id: string,
): Promise<ItemPlace | null> {
  if (!hasIdShape('item', id)) return null
  const { rows } = await sql<ItemPlace>`
    select here.item_key as "itemKey", here.branch_key as "branchKey", here.position
    from conversations.branch_item given
    join conversations.branch b on b.key = given.branch_key
    join conversations.branch_item here on here.item_key = given.item_key
    where given.public_id = ${id} and given.deleted_at is null and b.conversation_key = ${conversation.key}
      and (here.branch_key = ${conversation.activeBranchKey} or here.public_id = given.public_id)
    order by (here.branch_key = ${conversation.activeBranchKey}) desc
    limit 1`.execute(db)
  return rows[0] ?? null
}

/** Forgets ids: the item stays where it is, and its id still tells a place, but it no longer answers for itself. */
export async function retireIds(db: Connection, ids: { given: string; place: ItemPlace }): Promise<void> {
  await sql`
    update conversations.branch_item set deleted_at = now()
    where public_id = ${ids.given} or (branch_key = ${ids.place.branchKey} and position = ${ids.place.position})`.execute(
    db,
  )
}

/** A new branch with everything of another but one item: new ids, shared content. @returns its key */
export async function forkWithout(
  db: Connection,
  conversation: LockedConversation,
  place: ItemPlace,
  name: string,
): Promise<string> {
  const { rows: sources } = await sql<{ count: number }>`
    select item_count as count from conversations.branch where key = ${place.branchKey}`.execute(db)
  const kept = Math.max(0, (sources[0]?.count ?? 0) - 1)
  const ids = Array.from({ length: kept }, () => newId('item'))
  const { rows } = await sql<{ key: string }>`
    with fork as (
      insert into conversations.branch (conversation_key, name, item_count, parent_key, forked_at)
      values (${conversation.key}, ${name}, ${kept}, ${place.branchKey}, now())
      returning key
    ), copied as (
      insert into conversations.branch_item (branch_key, position, public_id, item_key)
      select fork.key, kept.position, fresh.id, kept.item_key
      from fork, (
        select item_key, row_number() over (order by position) as position
        from conversations.branch_item where branch_key = ${place.branchKey} and position <> ${place.position}
      ) kept
      join unnest(${ids}::text[]) with ordinality as fresh (id, ordinal) on fresh.ordinal = kept.position
    )
    select key from fork`.execute(db)
  const [fork] = rows
  if (!fork) throw new Error('A fork returned no row.')
  return fork.key
}

/**
 * Gives a branch the name `MAIN` and activates it. The former one keeps its key and ids under a backup name; turns that
 * are in progress on it go on in its successor.
 * @returns the backup's name
 */
export async function promoteToMain(
  db: Connection,
  conversation: LockedConversation,
  branchKey: string,
): Promise<string> {
  const backup = await freeBackupName(db, conversation)
  const { rows } = await sql<{ key: string }>`
    update conversations.branch set name = ${backup}, updated_at = now()
    where conversation_key = ${conversation.key} and name = ${mainBranch} returning key`.execute(db)
  await sql`update conversations.branch set name = ${mainBranch}, updated_at = now() where key = ${branchKey}`.execute(
    db,
  )
  await sql`update conversations.conversation set active_branch_key = ${branchKey} where key = ${conversation.key}`.execute(
    db,
  )
  await sql`
    update conversations.turn set branch_key = ${branchKey}
    where branch_key = ${rows[0]?.key ?? null} and finished_at is null`.execute(db)
  return backup
}

/** `MAIN_<YYYYMMDDHHMMSS>` in UTC, with `_2` and on where two fall into one second (contract 3.4). */
async function freeBackupName(db: Connection, { key }: LockedConversation): Promise<string> {
  const stamp = `${mainBranch}_${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`
  const { rows } = await sql<{ name: string }>`
    select name from conversations.branch where conversation_key = ${key} and starts_with(name, ${stamp})`.execute(
    db,
  )
  const taken = new Set(rows.map(({ name }) => name))
  let candidate = stamp
  for (let attempt = 2; taken.has(candidate); attempt += 1) candidate = `${stamp}_${attempt}`
  return candidate
}
