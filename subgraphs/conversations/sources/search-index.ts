import type { SubgraphDatabase } from '../../../platform/db.ts'
import { despiteDeadlocks } from '../../../platform/postgres-errors.ts'
import type { Block } from '../content/blocks.ts'
import { indexedText } from '../content/search-text.ts'

/** What is read, and then written, at once. */
const batchSize = 500
/** What a batch may bring of content, in bytes. */
const batchBytes = 32 * 1024 * 1024
/** Larger blocks hold pictures, sound and files: no text is that long, and no more is read of a message than its texts. */
const maxBlockBytes = 1_000_000
/** How many of the newest changes are looked through for those of one owner. */
const newestChanges = 2_000
/** How long another process leaves alone what one has begun with. */
const claimSeconds = 10
/** The `item_key` of the entry of a title. */
const titleKey = '0'
/** The version of what has not changed since there is an index. */
const neverChanged = '0'

/** What a title or a message is, now. */
interface Source {
  readonly conversationKey: string
  readonly itemKey: string
  readonly version: string
  readonly ownerId: string
  readonly saidAt: string
  /** There is nothing to be found in it, or no longer. */
  readonly isGone: boolean
  readonly title: string | null
  readonly content: readonly Block[] | null
}

/** What a change left behind, found by keys alone: whoever sees the change sees the content that it left. */
const sourceOfChange = `
  left join lateral (select * from conversations.conversation where key = changed.conversation_key limit 1) c on true
  left join lateral (select * from conversations.item where key = changed.item_key limit 1) i on true`

const sourceColumns = `
  changed.conversation_key as "conversationKey", c.owner_id as "ownerId",
  c.key is null or c.deleted_at is not null as "isGone", c.title, ${textsOf('i')} as content,
  coalesce(i.created_at, c.created_at) as "saidAt"`

/** The content of an item but for what is too large to be a text. */
function textsOf(item: string): string {
  return `(
    select json_agg(block order by place) from json_array_elements(${item}.content) with ordinality as given (block, place)
    where octet_length(block::text) <= ${maxBlockBytes}
  )`
}

/** The first of the sources in that order, as many as a batch may hold; one at least. The others come with a later one. */
function withinBounds(sources: string, order: string): string {
  return `
    select * from (
      select found.*, coalesce(sum(octet_length(content::text))
        over (order by ${order} rows between unbounded preceding and 1 preceding), 0) as "bytesBefore"
      from (${sources}) found
    ) bounded where "bytesBefore" < ${batchBytes} order by ${order}`
}

const changesStatement = `
  with changed as (
    update conversations.search_pending set claimed_until = now() + interval '${claimSeconds} seconds'
    where key = any(array(
      select key from conversations.search_pending where claimed_until is null or claimed_until < now()
      order by key limit ${batchSize} for update skip locked
    ))
    returning key, conversation_key, item_key
  )
  ${withinBounds(`select changed.key as version, changed.item_key as "itemKey", ${sourceColumns} from changed ${sourceOfChange}`, 'version')}`

/**
 * Indexes what changed, oldest first. Several processes may do so at once.
 * @returns how many changes were worked off; 0 when none are left
 */
export async function indexChanges(database: SubgraphDatabase): Promise<number> {
  const changes = await database.prepared<Source>('search_pending', changesStatement, [])
  await writeChanges(database, changes)
  return changes.length
}

const changesOfOwnerStatement = withinBounds(
  `select changed.key as version, changed.item_key as "itemKey", ${sourceColumns}
  from (select * from conversations.search_pending order by key desc limit ${newestChanges}) changed ${sourceOfChange}
  where c.owner_id = $1
  order by changed.key desc limit ${batchSize}`,
  'version desc',
)

/** Indexes what an owner has just changed, so that who writes and then searches finds it. */
export async function indexChangesOf(database: SubgraphDatabase, ownerId: string): Promise<void> {
  const changes = await database.prepared<Source>('search_pending_of_owner', changesOfOwnerStatement, [
    ownerId,
  ])
  await writeChanges(database, changes)
}

const written = `
  select e.conversation_key, e.item_key, e.owner_id, e.said_at, e.version,
    setweight(to_tsvector('conversations.search', e.words), case when e.item_key = 0 then 'A' else 'D' end::"char")
      || array_to_tsvector(array[' ' || e.owner_id])
  from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::text[])
    e (conversation_key, item_key, owner_id, said_at, version, words)`

/** Nothing newer is overwritten. */
const unlessNewer = `
  on conflict (conversation_key, item_key) do update set version = excluded.version, vector = excluded.vector
  where search_entry.version < excluded.version`

/**
 * Conversations are held before their entries, in the order of their keys, as whoever erases them does: so neither waits for the
 * other's rows in turn, and nothing is written for what is erased meanwhile. It keeps nobody from changing them.
 */
const writeChangesStatement = `
  with there as materialized (
    select key from conversations.conversation where key = any($1::bigint[]) order by key for key share
  ),
  worked_off as (delete from conversations.search_pending where key = any($7::bigint[])),
  forgotten as (delete from conversations.search_entry where conversation_key = any($8::bigint[]))
  insert into conversations.search_entry (conversation_key, item_key, owner_id, said_at, version, vector)
  ${written} where e.conversation_key in (select key from there)
  order by e.conversation_key, e.item_key ${unlessNewer}`

async function writeChanges(database: SubgraphDatabase, changes: readonly Source[]): Promise<void> {
  if (changes.length === 0) return
  const deleted = changes.filter(({ isGone }) => isGone).map(({ conversationKey }) => conversationKey)
  const values = [
    ...columnsOf(lastOfEach(changes.filter(({ isGone }) => !isGone))),
    changes.map(({ version }) => version),
    deleted,
  ]
  // two indexers may meet, of which one has seen a conversation before it was deleted
  await despiteDeadlocks(() => database.prepared('search_entry_changes', writeChangesStatement, values))
}

/** One row can't be written twice by one statement. */
function lastOfEach(changes: readonly Source[]): readonly Source[] {
  const byPlace = new Map<string, Source>()
  for (const change of changes) {
    const place = `${change.conversationKey} ${change.itemKey}`
    const known = byPlace.get(place)
    if (!known || BigInt(known.version) < BigInt(change.version)) byPlace.set(place, change)
  }
  return [...byPlace.values()]
}

function columnsOf(sources: readonly Source[]): readonly unknown[] {
  return [
    sources.map(({ conversationKey }) => conversationKey),
    sources.map(({ itemKey }) => itemKey),
    sources.map(({ ownerId }) => ownerId),
    sources.map(({ saidAt }) => saidAt),
    sources.map(({ version }) => version),
    sources.map(({ itemKey, title, content }) =>
      itemKey === titleKey ? (title ?? '') : indexedText(content ?? []),
    ),
  ]
}

type FormerKind = 'titles' | 'messages'

type FormerSource = Source & { readonly key: string }

const backfillStatement = `
  select kind, next_key as "nextKey" from conversations.search_backfill order by kind limit 1`

const formerStatements: Readonly<Record<FormerKind, string>> = {
  titles: `
    select c.key, c.key as "conversationKey", ${titleKey}::bigint as "itemKey", ${neverChanged}::bigint as version,
      c.owner_id as "ownerId", c.created_at as "saidAt", c.title, null as content,
      c.deleted_at is not null or c.title is null as "isGone"
    from conversations.conversation c /* search_backfill */ where c.key <= $1 order by c.key desc limit ${batchSize}`,
  messages: withinBounds(
    `select former.key, c.key as "conversationKey", former.key as "itemKey", ${neverChanged}::bigint as version,
      c.owner_id as "ownerId", former.created_at as "saidAt", null as title, ${textsOf('former')} as content,
      c.deleted_at is not null or former.type <> 'message' or former.status = 'in_progress' as "isGone"
    from (select * from conversations.item /* search_backfill */ where key <= $1 order by key desc limit ${batchSize}) former
    join conversations.conversation c on c.key = former.conversation_key`,
    'key desc',
  ),
}

/** Only who finds the place where it was writes, and moves on, so that a batch is written by one process, or again. */
const writeFormerStatement = `
  with moved as (
    update conversations.search_backfill set next_key = $9 where kind = $7 and next_key = $8 returning kind
  )
  insert into conversations.search_entry (conversation_key, item_key, owner_id, said_at, version, vector)
  ${written} where exists (select from moved) order by e.conversation_key, e.item_key
  on conflict (conversation_key, item_key) do nothing`

/**
 * Indexes a batch of what was there before there was an index, newest first.
 * @returns false when all of it is indexed
 */
export async function indexFormer(database: SubgraphDatabase): Promise<boolean> {
  const [task] = await database.prepared<{ kind: FormerKind; nextKey: string }>(
    'search_backfill',
    backfillStatement,
    [],
  )
  if (!task) return false
  const { kind, nextKey } = task
  const former = await database.prepared<FormerSource>(`search_backfill_${kind}`, formerStatements[kind], [
    nextKey,
  ])
  const last = former.at(-1)
  if (!last) {
    await database.prepared('search_backfill_done', backfillDone, [kind])
    return true
  }
  await database.prepared('search_entry_former', writeFormerStatement, [
    ...columnsOf(former.filter(({ isGone }) => !isGone)),
    kind,
    nextKey,
    BigInt(last.key) - 1n,
  ])
  return true
}

const backfillDone = 'delete from conversations.search_backfill where kind = $1'
