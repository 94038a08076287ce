import type { SubgraphDatabase } from '../../../platform/db.ts'
import {
  type ConversationColumns,
  type ConversationRow,
  conversationColumns,
  conversationRow,
} from './conversation-row.ts'
import type { BoundedPage } from './settled-key.ts'

/** Which conversations a list holds that asks for no project. */
export interface OwnerFilter {
  /** Null: everybody's. */
  readonly ownerId: string | null
  readonly referrer: string | null
  /** Only those that were put away, or only those that were not; null: both. */
  readonly archived: boolean | null
}

/** Up to `limit + 1` conversations. A cursor is not checked: one that names nothing finds nothing. */
export async function readPage(
  database: SubgraphDatabase,
  filter: OwnerFilter,
  page: BoundedPage,
): Promise<ConversationRow[]> {
  const { name, text, values } = pageStatement(filter, page)
  const rows = await database.prepared<ConversationColumns>(name, text, values)
  return rows.slice(0, page.limit + 1).map(conversationRow)
}

/** What statements are told to read at most: the default page and the largest, each with the row that tells of a next page. */
const readSizes = [21, 101]
const largestKey = '9223372036854775807'

/**
 * One of the few statements that lists come down to. Written so that PostgreSQL plans each once for all accounts, which would take
 * longer than the page itself, and reads no row of another's: rows of (owner, key) lie between two bounds, in that order. An equation
 * for the owner would be taken out of the order, and the account of a tenth of all conversations be looked for among everybody's newest
 * ones, wherever its own lie. The owner is selected so that no plan knows who it is: one that did would be believed to be worth its
 * making. A limit or an offset that is a parameter is believed to ask for a tenth of the table. What one application has made is little:
 * equations find it by an index of its own.
 */
function pageStatement(filter: OwnerFilter, page: BoundedPage) {
  const { ownerId, referrer, archived } = filter
  const { limit, after, offset, descending, upTo } = page
  const values: unknown[] = []
  const value = (given: unknown) => `$${values.push(given)}`
  const owner = ownerId === null ? null : value(ownerId)
  const bounded = owner !== null && referrer === null
  const row = bounded ? '(c.owner_id, c.key)' : '(c.key)'
  const bound = (key: string) => (bounded ? `((select ${owner}::uuid), ${key})` : `(${key})`)
  const cursor = after === null ? null : keyOf(value(after), owner)
  const conditions = [
    'c.deleted_at is null',
    ...(owner === null || bounded ? [] : [`c.owner_id = ${owner}`]),
    ...(referrer === null ? [] : [`c.referrer = ${value(referrer)}`]),
    ...(archived === null ? [] : [`c.archived_at is ${archived ? 'not null' : 'null'}`]),
    cursor === null || descending ? `${row} >= ${bound('0')}` : `${row} > ${bound(cursor)}`,
    cursor !== null && descending
      ? `${row} < ${bound(cursor)}`
      : `${row} <= ${bound(upTo === null ? largestKey : value(upTo))}`,
  ]
  const size = readSizes.find((most) => most > limit) ?? value(limit + 1)
  const skipped = offset === 0 ? '' : `offset ${value(offset)}`
  const direction = descending ? 'desc' : 'asc'
  const order = `${bounded ? `c.owner_id ${direction}, ` : ''}c.key ${direction}`
  const shape = [
    owner,
    referrer,
    archived,
    archived || null,
    cursor,
    descending || null,
    upTo,
    skipped || null,
  ]
  return {
    name: `conversations_page_${shape.map((given) => Number(given !== null)).join('')}_${size}`,
    text: `
      select ${conversationColumns('c', 'b')}
      from conversations.conversation c join conversations.branch b on b.key = c.active_branch_key
      where ${conditions.join(' and ')}
      order by ${order} limit ${size} ${skipped}`,
    values,
  }
}

/** A cursor's key is found in the statement that uses it; whose it is matters, whether it still lives does not. */
function keyOf(after: string, owner: string | null): string {
  const owned = owner === null ? '' : ` and k.owner_id = ${owner}`
  return `(select k.key from conversations.conversation k where k.public_id = ${after}${owned})`
}
