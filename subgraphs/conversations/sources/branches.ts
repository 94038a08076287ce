import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../platform/db.ts'
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
  /** `MAIN` first, then the newest. */
  ofConversation(conversationKey: string): Promise<BranchRow[]>
  byName(conversationKey: string, name: string): Promise<BranchRow | null>
  clearLoaders(): void
}

interface Named {
  readonly conversationKey: string
  readonly name: string
}

/** A source for one request. */
export function branchSource(database: SubgraphDatabase): BranchSource {
  const ofConversations = new DataLoader<string, BranchRow[]>((keys) => readAll(database, keys))
  const byName = new DataLoader<Named, BranchRow | null, string>((named) => readNamed(database, named), {
    cacheKeyFn: ({ conversationKey, name }) => `${conversationKey} ${name}`,
  })
  return {
    ofConversation: (conversationKey) => ofConversations.load(conversationKey),
    byName: async (conversationKey, name) =>
      isStorableName(name) ? byName.load({ conversationKey, name: branchName(name) }) : null,
    clearLoaders() {
      ofConversations.clearAll()
      byName.clearAll()
    },
  }
}

const columns = `
  b.key, b.conversation_key as "conversationKey", b.name, b.description, parent.name as "parentBranch",
  b.forked_at as "forkedAt", b.forked_from_item_id as "forkedFromItemId", b.item_count as "itemCount",
  b.key = c.active_branch_key as "isActive", b.created_at as "createdAt", b.updated_at as "updatedAt"`

const allStatement = `
  select ${columns}
  from conversations.branch b
  join conversations.conversation c on c.key = b.conversation_key
  left join conversations.branch parent on parent.key = b.parent_key
  where b.conversation_key = any($1::bigint[])
  order by b.name = 'MAIN' desc, b.key desc`

async function readAll(database: SubgraphDatabase, keys: readonly string[]): Promise<BranchRow[][]> {
  const rows = await database.prepared<BranchRow>('branches_of_conversations', allStatement, [keys])
  const found = Map.groupBy(rows, ({ conversationKey }) => conversationKey)
  return keys.map((key) => found.get(key) ?? [])
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
