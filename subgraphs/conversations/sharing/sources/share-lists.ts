import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../../platform/db.ts'
import { hasIdShape } from '../../../../platform/ids.ts'
import { type Group, inGroups } from '../../../../platform/in-groups.ts'
import { invalidCursor, type Page } from '../../../../platform/pagination.ts'
import { type ShareRow, shareColumns } from './share-row.ts'

/** Which of the shares of somebody, or of a conversation, a list holds. */
export interface ShareFilter {
  readonly includeRevoked: boolean
  readonly page: Page
}

/** Reads lists of shares, up to `limit + 1` of them. */
export interface ShareLists {
  /** @throws AppError `invalid_cursor` */
  ofOwner(ownerId: string, filter: ShareFilter): Promise<ShareRow[]>
  /** The lists of many conversations come in one statement. @throws AppError `invalid_cursor` */
  ofConversation(conversationKey: string, filter: ShareFilter): Promise<ShareRow[]>
}

interface ConversationRequest extends ShareFilter {
  readonly conversationKey: string
}

/** The lists of one request. Nothing is remembered between two batches. */
export function shareLists(database: SubgraphDatabase): ShareLists {
  const ofConversations = new DataLoader<ConversationRequest, ShareRow[]>(
    (requests) =>
      inGroups(
        requests,
        // a cursor stands in the list of one conversation
        ({ conversationKey, includeRevoked, page }) =>
          JSON.stringify([includeRevoked, page, page.after === null ? null : conversationKey]),
        (group) => readGroup(database, group),
      ),
    { cache: false },
  )
  return {
    ofOwner: (ownerId, filter) => readOwners(database, ownerId, filter),
    ofConversation: (conversationKey, filter) => ofConversations.load({ conversationKey, ...filter }),
  }
}

async function readOwners(database: SubgraphDatabase, ownerId: string, filter: ShareFilter) {
  const { after } = filter.page
  assertShape(after)
  const rows = await read(database, 'owner', [ownerId], filter)
  if (rows.length === 0 && after !== null) await assertCursor(database, 'owner', ownerId, after)
  return rows
}

async function readGroup(
  database: SubgraphDatabase,
  group: Group<ConversationRequest>,
): Promise<ShareRow[][]> {
  const [filter] = group
  const { after } = filter.page
  assertShape(after)
  const keys = [...new Set(group.map(({ conversationKey }) => conversationKey))]
  const rows = await read(database, 'conversation', keys, filter)
  if (rows.length === 0 && after !== null)
    await assertCursor(database, 'conversation', filter.conversationKey, after)
  const byConversation = Map.groupBy(rows, ({ conversationKey }) => conversationKey)
  return group.map((request) => byConversation.get(request.conversationKey) ?? [])
}

type Holder = 'owner' | 'conversation'

const columnOf = { owner: 'owner_id', conversation: 'conversation_key' } as const
const typeOf = { owner: 'uuid', conversation: 'bigint' } as const

/** One page for each holder. One of the few statements that these lists come down to: each has its own plan. */
function read(
  database: SubgraphDatabase,
  holder: Holder,
  holders: readonly string[],
  { includeRevoked, page }: ShareFilter,
): Promise<ShareRow[]> {
  const { limit, offset, after, descending } = page
  const [order, beyond] = descending ? ['desc', '<'] : ['asc', '>']
  const column = columnOf[holder]
  const conditions = [
    `s.${column} = holder.id`,
    ...(includeRevoked ? [] : ['s.revoked_at is null and c.deleted_at is null']),
    ...(after === null
      ? []
      : [
          `s.key ${beyond} (select k.key from conversations.share k where k.public_id = $4 and k.${column} = holder.id)`,
        ]),
  ]
  const text = `
    select page.* from unnest($1::${typeOf[holder]}[]) as holder (id)
    cross join lateral (
      select ${shareColumns}
      from conversations.share s join conversations.conversation c on c.key = s.conversation_key
      where ${conditions.join(' and ')}
      order by s.key ${order} limit $2 offset $3
    ) page order by page.key ${order}`
  const shape = [includeRevoked, after !== null, descending].map(Number).join('')
  return database.prepared<ShareRow>(`shares_of_${holder}_${shape}`, text, [
    holders,
    limit + 1,
    offset,
    ...(after === null ? [] : [after]),
  ])
}

function assertShape(after: string | null): void {
  if (after !== null && !hasIdShape('share', after)) throw invalidCursor(after)
}

async function assertCursor(
  database: SubgraphDatabase,
  holder: Holder,
  id: string,
  after: string,
): Promise<void> {
  const known = await database.prepared(
    `share_cursor_of_${holder}`,
    `select 1 from conversations.share where public_id = $1 and ${columnOf[holder]} = $2`,
    [after, id],
  )
  if (known.length === 0) throw invalidCursor(after)
}
