import type { SubgraphDatabase } from '../../../../platform/db.ts'
import type { StoredMessage } from '../snapshot.ts'

/** Whose messages are shared: never those of the application or of a developer (contract 2.11). */
const sharedRoles = ['user', 'assistant', 'tool']
/** What has come to an end. */
const sharedStatuses = ['completed', 'incomplete']

const pageItems = 500
/** What one page may bring of stored content, so that sharing a conversation never takes more memory than one message and this. */
const pageBytes = 16 * 1024 * 1024

type PlacedMessage = StoredMessage & { readonly position: number }

/** Every message of a branch that may be shared, oldest first. */
export async function* messagesOfBranch(
  database: SubgraphDatabase,
  branchKey: string,
): AsyncGenerator<StoredMessage> {
  let last: number | undefined = 0
  while (last !== undefined) {
    const page: PlacedMessage[] = await database.prepared<PlacedMessage>('shared_messages', messagePage, [
      branchKey,
      last,
      sharedRoles,
      sharedStatuses,
      pageItems,
      pageBytes,
    ])
    yield* page
    last = page.at(-1)?.position
  }
}

/** The last message of a person before an item, on the branch that the id belongs to. Null where there is none. */
export async function questionBefore(
  database: SubgraphDatabase,
  itemId: string,
): Promise<StoredMessage | null> {
  const [question] = await database.prepared<StoredMessage>('question_before', precedingQuestion, [
    itemId,
    sharedStatuses,
  ])
  return question ?? null
}

const columns = `
  i.role, i.content, i.call_id as "callId", i.model_id as "modelId", i.created_at as "createdAt"`

/**
 * At least one message, however large: the first is preceded by nothing. How much is kept of a message is told without reading
 * it, and is no more than what it is when it is read, but for a few bytes: what is too far away by that is not read.
 */
const messagePage = `
  with page as (
    select bi.position, ${columns}
    from conversations.branch_item bi join conversations.item i on i.key = bi.item_key
    where bi.branch_key = $1 and bi.position > $2 and i.type = 'message'
      and i.role = any($3::text[]) and i.status = any($4::text[])
    order by bi.position limit $5
  ), near as (
    select page.*, sum(pg_column_size(content) - 8) over (order by position) - pg_column_size(content) + 8 as kept from page
  ), measured as (
    select near.*, sum(octet_length(content::text)) over (order by position) - octet_length(content::text) as before
    from near where kept < $6
  )
  select position, role, content, "callId", "modelId", "createdAt" from measured where before < $6 order by position`

const precedingQuestion = `
  select ${columns}
  from conversations.branch_item given
  join conversations.branch_item bi on bi.branch_key = given.branch_key and bi.position < given.position
  join conversations.item i on i.key = bi.item_key
  where given.public_id = $1 and i.type = 'message' and i.role = 'user' and i.status = any($2::text[])
  order by bi.position desc limit 1`
