import { sql } from 'kysely'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import type { LockedConversation } from './conversation-writes.ts'
import type { Connection } from './transaction.ts'

/** The branch that a conversation begins with. */
export const mainBranch = 'MAIN'

/** A branch as far as writes go. */
export interface WritableBranch {
  readonly key: string
  readonly name: string
  readonly itemCount: number
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
export async function writableBranch(
  db: Connection,
  conversation: LockedConversation,
  name: string | null,
): Promise<WritableBranch | null> {
  if (name !== null && !isStorableName(name)) return null
  const { rows } = await sql<WritableBranch>`
    select b.key, b.name, b.item_count as "itemCount" from conversations.branch b
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
  return itemPlace(db, conversation, conversation.activeBranchKey, id)
}

/** Where an item stands on a branch; on the branch of the given id where that one does not have it. */
export async function itemPlace(
  db: Connection,
  conversation: LockedConversation,
  branchKey: string,
  id: string,
): Promise<ItemPlace | null> {
  if (!hasIdShape('item', id)) return null
  const { rows } = await sql<ItemPlace>`
    select item_key as "itemKey", branch_key as "branchKey", position
    from conversations.item_place(${conversation.key}, ${branchKey}, ${id}) where item_key is not null`.execute(
    db,
  )
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

/** What a new main branch is made of: a branch's items up to a position, or all of them but one. */
export interface Cut {
  readonly branchKey: string
  /** The last position that is copied; null: all are. */
  readonly upTo: number | null
  /** The position that is left out; null: none is. */
  readonly without: number | null
}

/** A main branch that was forked. */
export interface NewMain {
  readonly branchKey: string
  /** The name that the former one is kept under. */
  readonly backup: string
}

/** A new `MAIN` with items of a branch: new ids, shared content. It becomes active; the former one is kept under another name. */
export async function forkToMain(db: Connection, { branchKey, upTo, without }: Cut): Promise<NewMain> {
  const { rows } = await sql<NewMain>`
    select (made.main).key as "branchKey", made.backup
    from conversations.fork_to_main(${branchKey}, ${upTo}, ${without}) made`.execute(db)
  const [made] = rows
  if (!made) throw new Error('A fork returned no row.')
  return made
}

/** The id of a branch's last item; null when it has none. */
export async function lastItemId(db: Connection, branchKey: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select bi.public_id as id from conversations.branch b
    join conversations.branch_item bi on bi.branch_key = b.key and bi.position = b.item_count
    where b.key = ${branchKey}`.execute(db)
  return rows[0]?.id ?? null
}

/** A new branch beside the others. */
export interface NewBranch {
  readonly name: string
  readonly description: string | null
  readonly parentKey: string
  /** The last position that is copied, and the id that it was named by; null: all are. */
  readonly upTo: { readonly position: number; readonly id: string } | null
}

/**
 * Whether a conversation can take another branch. Who asks holds it.
 * @throws AppError `conversation_full`
 */
export async function assertRoomForBranch(
  db: Connection,
  { key }: LockedConversation,
  maxBranches: number,
): Promise<void> {
  const { rows } = await sql<{ branches: number }>`
    select count(*)::integer as branches from conversations.branch where conversation_key = ${key}`.execute(
    db,
  )
  if ((rows[0]?.branches ?? 0) >= maxBranches) branchesFull(maxBranches)
}

/** The one answer where a conversation can't take another branch. */
export function branchesFull(maxBranches: number): never {
  throw new AppError(
    'conversation_full',
    `A conversation has at most ${maxBranches} branches: delete one first.`,
    { param: 'conversation' },
  )
}

/** A branch that begins with another's items: new ids, shared content. Its name must be free. */
export async function createBranch(
  db: Connection,
  { name, description, parentKey, upTo }: NewBranch,
): Promise<void> {
  await sql`
    select from conversations.fork_branch(
      ${parentKey}, ${upTo?.position ?? null}, null, ${name}, ${description}, ${upTo?.id ?? null}
    )`.execute(db)
}

/** Whether an answer is being written on a branch. */
export async function hasRunningTurn(
  db: Connection,
  conversation: LockedConversation,
  branchKey: string,
): Promise<boolean> {
  const { rows } = await sql`
    select from conversations.turn
    where conversation_key = ${conversation.key} and branch_key = ${branchKey} and status = 'in_progress' limit 1`.execute(
    db,
  )
  return rows.length > 0
}

/** Deletes a branch with its turns, and the items that stand in no other. */
export async function deleteBranch(
  db: Connection,
  conversation: LockedConversation,
  branchKey: string,
): Promise<void> {
  await sql`
    delete from conversations.turn where conversation_key = ${conversation.key} and branch_key = ${branchKey}`.execute(
    db,
  )
  await sql`
    delete from conversations.item i using conversations.branch_item here
    where here.branch_key = ${branchKey} and i.key = here.item_key and not exists (
      select from conversations.branch_item there
      where there.item_key = here.item_key and there.branch_key <> here.branch_key
    )`.execute(db)
  await sql`delete from conversations.branch where key = ${branchKey}`.execute(db)
}

/** The branch that is read and appended to when none is named, from now on. */
export async function activateBranch(
  db: Connection,
  conversation: LockedConversation,
  branchKey: string,
): Promise<void> {
  await sql`
    update conversations.conversation set active_branch_key = ${branchKey} where key = ${conversation.key}`.execute(
    db,
  )
}
