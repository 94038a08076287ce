import DataLoader from 'dataloader'
import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { branchName, isStorableName } from './branch-writes.ts'
import { type ItemRow, itemColumns, itemColumnsText } from './item-row.ts'
import { type Connection, connection } from './transaction.ts'

/** A branch as far as lists of its items go. */
export interface BranchRef {
  readonly key: string
  readonly conversationKey: string
  readonly name: string
  readonly itemCount: number
}

/** What a page of items is made of. */
export interface ItemSlice {
  /** Up to `limit + 1`, but no more than may be read at once: one at least, where there is one. */
  readonly rows: readonly ItemRow[]
  /** Whether some were left out for that. */
  readonly isCut: boolean
}

/** What one statement may bring of stored items, in bytes: pictures and what tools gave back may be large. Branches share it. */
const maxReadBytes = 32 * 1024 * 1024

/** Reads items. */
export interface ItemSource {
  /** An item of a living conversation of the owner's, by an id of any branch. */
  byId(ownerId: string, id: string): Promise<ItemRow | null>
  /** The same for several at once, the first of them and those for which there is room: they may be large. */
  firstByIds(ownerId: string, ids: readonly string[]): Promise<readonly ItemRow[]>
  branch(conversationKey: string, name: string): Promise<BranchRef | null>
  /** Pages of many branches come in one statement. @throws AppError `invalid_cursor` */
  page(branch: BranchRef, page: Page): Promise<ItemSlice>
  clearLoaders(): void
}

interface PageRequest {
  readonly branch: BranchRef
  readonly page: Page
}

/** A source for one request. */
export function itemSource(database: SubgraphDatabase): ItemSource {
  const byId = new Map<string, DataLoader<string, ItemRow | null>>()
  const loaderOf = (ownerId: string) => {
    const known = byId.get(ownerId)
    if (known) return known
    const fresh = new DataLoader<string, ItemRow | null>((ids) =>
      readMany(connection(database), ownerId, ids),
    )
    byId.set(ownerId, fresh)
    return fresh
  }
  const pages = new DataLoader<PageRequest, ItemSlice>(
    (requests) => readPages(connection(database), requests),
    { cache: false },
  )

  return {
    byId: async (ownerId, id) => (hasIdShape('item', id) ? loaderOf(ownerId).load(id) : null),
    firstByIds: (ownerId, ids) => readFirst(database, ownerId, ids),

    async page(branch, page) {
      if (page.after !== null && !hasIdShape('item', page.after)) throw invalidCursor(page.after)
      return pages.load({ branch, page })
    },

    clearLoaders: () => byId.clear(),

    async branch(conversationKey, name) {
      if (!isStorableName(name)) return null
      const { rows } = await sql<BranchRef>`
        select key, conversation_key as "conversationKey", name, item_count as "itemCount"
        from conversations.branch where conversation_key = ${conversationKey} and name = ${branchName(name)}`.execute(
        connection(database),
      )
      return rows[0] ?? null
    },
  }
}

async function readMany(
  db: Connection,
  ownerId: string,
  ids: readonly string[],
): Promise<(ItemRow | null)[]> {
  const { rows } = await sql<ItemRow>`
    select bi.public_id as "publicId", bi.position, b.name as branch, ${itemColumns}
    from conversations.branch_item bi
    join conversations.branch b on b.key = bi.branch_key
    join conversations.item i on i.key = bi.item_key
    join conversations.conversation c on c.key = b.conversation_key
    where bi.public_id = any(${ids}::text[]) and bi.deleted_at is null
      and c.owner_id = ${ownerId} and c.deleted_at is null`.execute(db)
  const found = new Map(rows.map((row) => [row.publicId, row]))
  return ids.map((id) => found.get(id) ?? null)
}

async function readFirst(
  database: SubgraphDatabase,
  ownerId: string,
  ids: readonly string[],
): Promise<ItemRow[]> {
  return ids.length === 0 ? [] : database.prepared<ItemRow>('items_first_by_ids', firstByIds, [ownerId, ids])
}

/** Prepared: to plan it takes longer than to run it. */
const firstByIds = `
  select i."publicId", i.position, i.branch, ${itemColumnsText}
  from (
    select bi.public_id as "publicId", bi.position, b.name as branch, stored.*, wanted.place,
      sum(octet_length(stored.content::text) + octet_length(stored.details::text))
        over (order by wanted.place rows between unbounded preceding and 1 preceding) as "bytesBefore"
    from unnest($2::text[]) with ordinality as wanted (id, place)
    join conversations.branch_item bi on bi.public_id = wanted.id and bi.deleted_at is null
    join conversations.branch b on b.key = bi.branch_key
    join conversations.item stored on stored.key = bi.item_key
    join conversations.conversation c on c.key = b.conversation_key and c.owner_id = $1 and c.deleted_at is null
  ) i
  where coalesce(i."bytesBefore", 0) < ${maxReadBytes}
  order by i.place`

/** Requests that differ in their branch alone share a statement; a cursor stands in one branch and has its own. */
async function readPages(db: Connection, requests: readonly PageRequest[]): Promise<(ItemSlice | Error)[]> {
  const groups = Map.groupBy(requests, ({ branch, page }) =>
    JSON.stringify([
      page.limit,
      page.offset,
      page.descending,
      page.after === null ? null : [branch.key, page.after],
    ]),
  )
  const answers = new Map<PageRequest, ItemSlice | Error>()
  await Promise.all(
    [...groups.values()].map(async (group) => {
      for (const [request, answer] of await readGroup(db, group)) answers.set(request, answer)
    }),
  )
  return requests.map((request) => answers.get(request) ?? sliceOf([]))
}

async function readGroup(
  db: Connection,
  group: readonly PageRequest[],
): Promise<[PageRequest, ItemSlice | Error][]> {
  const [first] = group
  if (!first) return []
  const { page, branch } = first
  const rows = await readBranches(
    db,
    [...new Set(group.map((request) => request.branch.key))],
    page,
    branch.conversationKey,
  )
  const missing =
    rows.length === 0 && page.after !== null && !(await isCursor(db, branch.conversationKey, page.after))
  const byBranch = Map.groupBy(rows, ({ branchKey }) => branchKey)
  return group.map((request) => [
    request,
    missing ? invalidCursor(page.after ?? '') : sliceOf(byBranch.get(request.branch.key) ?? []),
  ])
}

type PlacedItem = ItemRow & {
  readonly branchKey: string
  /** Of the page, before anything was left out of it. */
  readonly pageLength: number
}

function sliceOf(rows: readonly PlacedItem[]): ItemSlice {
  return { rows, isCut: rows.length < (rows[0]?.pageLength ?? 0) }
}

async function readBranches(
  db: Connection,
  keys: readonly string[],
  page: Page,
  conversationKey: string,
): Promise<PlacedItem[]> {
  const direction = page.descending ? sql`desc` : sql`asc`
  const mostBytes = Math.floor(maxReadBytes / Math.max(keys.length, 1))
  const { rows } = await sql<PlacedItem>`
    select b.key as "branchKey", b.name as branch, i.public_id as "publicId", i.position, i."pageLength", ${itemColumns}
    from conversations.branch b
    cross join lateral (
      select place.public_id, place.position, stored.*, (count(*) over ())::integer as "pageLength",
        sum(octet_length(stored.content::text) + octet_length(stored.details::text))
          over (order by place.position ${direction} rows between unbounded preceding and 1 preceding) as "bytesBefore"
      from (
        select * from conversations.branch_item
        where branch_key = b.key ${page.after === null ? sql`` : beyond(page.after, conversationKey, page.descending)}
        order by position ${direction} limit ${page.limit + 1} offset ${page.offset}
      ) place
      join conversations.item stored on stored.key = place.item_key
    ) i
    where b.key = any(${keys}::bigint[]) and coalesce(i."bytesBefore", 0) < ${mostBytes}
    order by b.key, i.position ${direction}`.execute(db)
  return rows
}

/**
 * Beyond the cursor's place in `b`. An id of another branch stands where its content stands here; where that is gone,
 * between its former neighbours: so a list can be read on after an item was deleted.
 */
function beyond(after: string, conversationKey: string, descending: boolean) {
  const before = descending ? sql`<` : sql`>`
  const round = descending ? sql`ceil` : sql`floor`
  return sql`and position ${before} (
    select ${round}(case when at.branch_key = b.key then at.position else coalesce(
      (select same.position from conversations.branch_item same
        where same.branch_key = b.key and same.item_key = at.item_key),
      (select coalesce(max(here.position), 0) + 0.5 from conversations.branch_item earlier
        join conversations.branch_item here on here.item_key = earlier.item_key and here.branch_key = b.key
        where earlier.branch_key = at.branch_key and earlier.position < at.position)
    ) end)::integer
    from conversations.branch_item at join conversations.branch of_at on of_at.key = at.branch_key
    where at.public_id = ${after} and of_at.conversation_key = ${conversationKey}
  )`
}

async function isCursor(db: Connection, conversationKey: string, id: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from conversations.branch_item bi join conversations.branch b on b.key = bi.branch_key
    where bi.public_id = ${id} and b.conversation_key = ${conversationKey}`.execute(db)
  return rows.length > 0
}
