import { Batches } from '../../../platform/batches.ts'
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

/** Reads lists, page by page. Lives as long as the process: pages that are asked for at the same time are read at once. */
export interface ConversationPages {
  /** Up to `limit + 1` conversations. A cursor is not checked: one that names nothing finds nothing. */
  read(filter: OwnerFilter, page: BoundedPage): Promise<ConversationRow[]>
}

interface PageRequest {
  readonly key: null
  readonly size: number
  readonly owner: string | null
  readonly referrer: string | null
  readonly after: string | null
  readonly newest: string | null
  readonly most: number
  readonly skipped: number
}

interface PageColumns extends ConversationColumns {
  readonly at: number
}

type Pages = Batches<PageRequest, ConversationRow[]>

/** A page from a disk is read beside others, not in front of them. */
const lanes = 4
/** Of the characters of a batch: some tens of the largest pages. */
const rowSize = 300

export function conversationPages(database: SubgraphDatabase): ConversationPages {
  const batches = new Map<string, Pages>()
  const pagesOf = (filter: OwnerFilter, page: BoundedPage): Pages => {
    const name = statementName(filter, page)
    const known = batches.get(name)
    if (known) return known
    const made = pagesBy(database, name, pageStatement(filter, page))
    batches.set(name, made)
    return made
  }
  return {
    read: (filter, page) =>
      pagesOf(filter, page).ask({
        key: null,
        size: (page.limit + 1) * rowSize,
        owner: filter.ownerId,
        referrer: filter.referrer,
        after: page.after,
        newest: page.upTo,
        most: page.limit + 1,
        skipped: page.offset,
      }),
  }
}

/** The pages that one statement reads. */
function pagesBy(database: SubgraphDatabase, name: string, text: string): Pages {
  const together = async (requests: readonly PageRequest[]): Promise<ConversationRow[][]> => {
    const wanted = requests.map(({ key, size, ...request }, at) => ({ at, ...request }))
    const rows = await database.prepared<PageColumns>(name, text, [JSON.stringify(wanted)])
    const pages: ConversationRow[][] = requests.map(() => [])
    for (const { at, ...row } of rows) {
      const page = pages[at]
      if (page && page.length < (requests[at]?.most ?? 0)) page.push(conversationRow(row))
    }
    return pages
  }
  return new Batches({ together, alone: async (request) => (await together([request]))[0] ?? [], lanes })
}

/** What statements are told to read at most: the default page and the largest, each with the row that tells of a next page. */
const readSizes = [21, 101]
const largestKey = '9223372036854775807'

/** Null: as many as are asked for. */
function readSize(limit: number): number | null {
  return readSizes.find((most) => most > limit) ?? null
}

/** Of all that `pageStatement` differs by. */
function statementName({ ownerId, referrer, archived }: OwnerFilter, page: BoundedPage): string {
  const { limit, after, offset, descending, upTo } = page
  const shape = [ownerId !== null, referrer !== null, archived !== null, archived === true, after !== null]
  const placed = [descending, upTo !== null, offset > 0]
  return `conversations_page_${[...shape, ...placed].map(Number).join('')}_${readSize(limit) ?? 'any'}`
}

/**
 * One of the few statements that lists come down to. Written so that PostgreSQL plans each once for all accounts, which would take
 * longer than the page itself, and reads no row of another's: rows of (owner, key) lie between two bounds, in that order. An equation
 * for the owner would be taken out of the order, and the account of a tenth of all conversations be looked for among everybody's newest
 * ones, wherever its own lie. A limit or an offset that is not told is believed to be a tenth of the table. What one application has made
 * is little: equations find it by an index of its own.
 */
function pageStatement(filter: OwnerFilter, page: BoundedPage): string {
  const { ownerId, referrer, archived } = filter
  const { limit, after, offset, descending, upTo } = page
  const bounded = ownerId !== null && referrer === null
  const row = bounded ? '(c.owner_id, c.key)' : '(c.key)'
  const bound = (key: string) => (bounded ? `(wanted.owner, ${key})` : `(${key})`)
  const cursor = after === null ? null : keyOfCursor(ownerId !== null)
  const newest = upTo === null ? largestKey : 'wanted.newest'
  const conditions = [
    'c.deleted_at is null',
    ...(ownerId === null || bounded ? [] : ['c.owner_id = wanted.owner']),
    ...(referrer === null ? [] : ['c.referrer = wanted.referrer']),
    ...(archived === null ? [] : [`c.archived_at is ${archived ? 'not null' : 'null'}`]),
    cursor !== null && !descending ? `${row} > ${bound(cursor)}` : `${row} >= ${bound('0')}`,
    cursor !== null && descending ? `${row} < ${bound(cursor)}` : `${row} <= ${bound(newest)}`,
  ]
  const size = readSize(limit) ?? 'wanted.most'
  const direction = descending ? 'desc' : 'asc'
  const order = `${bounded ? `c.owner_id ${direction}, ` : ''}c.key ${direction}`
  return `
      select wanted.at, page.* from json_to_recordset($1::json) as wanted (
        at integer, owner uuid, referrer text, after text, newest bigint, most integer, skipped integer
      )
      cross join lateral (
        select ${conversationColumns('c', 'b')}
        from conversations.conversation c join conversations.branch b on b.key = c.active_branch_key
        where ${conditions.join(' and ')}
        order by ${order} limit ${size} ${offset > 0 ? 'offset wanted.skipped' : ''}
      ) page
      order by page.key ${direction}`
}

/** A cursor's key is found in the statement that uses it; whose it is matters, whether it still lives does not. */
function keyOfCursor(isOwned: boolean): string {
  const owned = isOwned ? ' and k.owner_id = wanted.owner' : ''
  return `(select k.key from conversations.conversation k where k.public_id = wanted.after${owned})`
}
