import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { type Group, inGroups } from '../../../platform/in-groups.ts'
import { invalidCursor, type Page } from '../../../platform/pagination.ts'
import { branchName, isStorableName } from './branch-writes.ts'

/** A branch, with what its conversation says of it. Moments are PostgreSQL's text. */
export interface BranchRow {
  readonly key: string
  readonly conversationKey: string
  readonly name: string
  readonly description: string | null
  readonly parentBranch: string | null
  readonly forkedAt: string | null
  readonly forkedFromItemId: string | null
  readonly itemCount: number
  readonly isActive: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

/** Reads branches; those of many conversations come in one statement. */
export interface BranchSource {
  /** Up to `limit + 1`: `MAIN` first, then the newest, or all of it the other way round; the cursor is a name. @throws AppError `invalid_cursor` */
  page(conversationKey: string, page: Page): Promise<BranchRow[]>
  byName(conversationKey: string, name: string): Promise<BranchRow | null>
  clearLoaders(): void
}

interface PageRequest {
  readonly conversationKey: string
  readonly page: Page
}

interface Named {
  readonly conversationKey: string
  readonly name: string
}

/** A source for one request. */
export function branchSource(database: SubgraphDatabase): BranchSource {
  const pages = new DataLoader<PageRequest, BranchRow[]>(
    (requests) =>
      inGroups(
        requests,
        // a cursor stands in the list of one conversation
        ({ conversationKey, page }) => JSON.stringify([page, page.after === null ? null : conversationKey]),
        (group) => readPages(database, group),
      ),
    { cache: false },
  )
  const byName = new DataLoader<Named, BranchRow | null, string>((named) => readNamed(database, named), {
    cacheKeyFn: ({ conversationKey, name }) => `${conversationKey} ${name}`,
  })
  return {
    async page(conversationKey, page) {
      const { after } = page
      if (after === null) return pages.load({ conversationKey, page })
      if (!isStorableName(after)) throw invalidCursor(after)
      const rows = await pages.load({ conversationKey, page: { ...page, after: branchName(after) } })
      if (rows.length === 0 && !(await this.byName(conversationKey, after))) throw invalidCursor(after)
      return rows
    },
    byName: async (conversationKey, name) =>
      isStorableName(name) ? byName.load({ conversationKey, name: branchName(name) }) : null,
    clearLoaders() {
      byName.clearAll()
    },
  }
}

const columns = `
  b.key, b.conversation_key as "conversationKey", b.name, b.description, parent.name as "parentBranch",
  b.forked_at as "forkedAt", b.forked_from_item_id as "forkedFromItemId", b.item_count as "itemCount",
  b.key = c.active_branch_key as "isActive", b.created_at as "createdAt", b.updated_at as "updatedAt"`

async function readPages(database: SubgraphDatabase, group: Group<PageRequest>): Promise<BranchRow[][]> {
  const [{ page }] = group
  const { limit, offset, after, descending } = page
  const [order, beyond] = descending ? ['desc', '<'] : ['asc', '>']
  const text = `
    select page.* from unnest($1::bigint[]) as wanted (key)
    join conversations.conversation c on c.key = wanted.key
    cross join lateral (
      select ${columns}
      from conversations.branch b left join conversations.branch parent on parent.key = b.parent_key
      where b.conversation_key = c.key ${
        after === null
          ? ''
          : `and (b.name = 'MAIN', b.key) ${beyond} (
              select k.name = 'MAIN', k.key from conversations.branch k where k.conversation_key = c.key and k.name = $4)`
      }
      order by b.name = 'MAIN' ${order}, b.key ${order} limit $2 offset $3
    ) page
    order by page.name = 'MAIN' ${order}, page.key ${order}`
  const keys = [...new Set(group.map(({ conversationKey }) => conversationKey))]
  const shape = [after !== null, descending].map(Number).join('')
  const rows = await database.prepared<BranchRow>(`branches_page_${shape}`, text, [
    keys,
    limit + 1,
    offset,
    ...(after === null ? [] : [after]),
  ])
  const found = Map.groupBy(rows, ({ conversationKey }) => conversationKey)
  return group.map(({ conversationKey }) => found.get(conversationKey) ?? [])
}

const namedStatement = `
  select ${columns}
  from unnest($1::bigint[], $2::text[]) as wanted (conversation_key, name)
  join conversations.branch b on b.conversation_key = wanted.conversation_key and b.name = wanted.name
  join conversations.conversation c on c.key = b.conversation_key
  left join conversations.branch parent on parent.key = b.parent_key`

async function readNamed(database: SubgraphDatabase, named: readonly Named[]): Promise<(BranchRow | null)[]> {
  const rows = await database.prepared<BranchRow>('branches_by_name', namedStatement, [
    named.map(({ conversationKey }) => conversationKey),
    named.map(({ name }) => name),
  ])
  return named.map(
    ({ conversationKey, name }) =>
      rows.find((row) => row.conversationKey === conversationKey && row.name === name) ?? null,
  )
}
