import pg from 'pg'
import type { DatasetSize } from './size.ts'
import { wordCount, wordOf } from './words.ts'

const sentences = 40_000
const strangers = 9_000
const batch = 20_000

/**
 * Fills a migrated database by SQL, as its superuser: triggers rest meanwhile, and the dear indexes are built at the end.
 * Texts are put together from sentences whose words are as frequent as in texts.
 * @param tell is told how far it has come
 */
export async function generateDataset(
  url: string,
  ownerId: string,
  size: DatasetSize,
  tell: (line: string) => void,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const run = (sql: string, values: unknown[] = []) => client.query(sql, values)
  try {
    await run(
      `set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '1GB'`,
    )
    await run(sentenceTables)
    await run(
      `insert into bench.word select rank, word from unnest($1::text[]) with ordinality as w (word, rank)`,
      [Array.from({ length: wordCount }, (_, at) => wordOf(at + 1))],
    )
    await run(sentenceRows)
    await run(withoutIndexes)
    for (let first = 1; first <= size.conversations; first += batch) {
      const last = Math.min(first + batch - 1, size.conversations)
      const range = [first, last]
      await run(conversationRows, [...range, size.conversations, size.ownersShare, ownerId])
      await run(branchRows, [...range, size.itemsEach])
      await run(itemRows, [...range, size.itemsEach])
      await run(placeRows, [...range, size.itemsEach])
      await run(titleEntries, range)
      await run(messageEntries, [...range, size.itemsEach])
      tell(`  ${last} of ${size.conversations} conversations`)
    }
    for (const statement of indexes) {
      tell(`  ${statement.slice(0, 80)}`)
      await run(statement)
    }
    await run('drop schema bench cascade')
    await run('vacuum analyze')
  } finally {
    await client.end()
  }
}

const sentenceTables = `
  drop schema if exists bench cascade;
  create schema bench;
  create unlogged table bench.word (rank integer primary key, word text not null);
  create unlogged table bench.sentence (
    id integer primary key, words text not null, vector tsvector not null, title text not null, title_vector tsvector not null
  )`

/** A rank is drawn log-uniformly: its probability is about 1/rank. */
const sentenceRows = `
  insert into bench.sentence
  select n, words, to_tsvector('conversations.search', words), title,
    setweight(to_tsvector('conversations.search', title), 'A')
  from (
    select n, string_agg(word, ' ' order by i) || '.' as words, string_agg(word, ' ' order by i) filter (where i <= 5) as title
    from generate_series(1, ${sentences}) n
    cross join lateral (
      select i, floor(exp(random() * ln(${wordCount})))::integer as rank from generate_series(1, 8 + n % 9) i
    ) drawn
    join bench.word using (rank)
    group by n
  ) drawn`

const withoutIndexes = `
  drop index conversations.search_entry_vector;
  drop index conversations.search_entry_of_owner;
  alter table conversations.branch_item drop constraint branch_item_public_id_key`

const indexes = [
  'create index search_entry_of_owner on conversations.search_entry (owner_id, said_at, conversation_key, item_key)',
  'create index search_entry_vector on conversations.search_entry using gin (vector) with (gin_pending_list_limit = 1024)',
  'alter table conversations.branch_item add unique (public_id)',
  ...['conversation', 'branch', 'item'].map(
    (table) =>
      `select setval(pg_get_serial_sequence('conversations.${table}', 'key'), max(key)) from conversations.${table}`,
  ),
]

const sentenceOf = (place: string) => `1 + (${place}) % ${sentences}`

/** Spread over two years, the last today. */
const conversationRows = `
  insert into conversations.conversation (
    key, public_id, owner_id, title, active_branch_key, created_at, updated_at
  ) overriding system value
  select n, 'conv_' || left(md5('c' || n), 16),
    case when n % $4::bigint = 0 then $5::uuid else md5('owner' || n % ${strangers})::uuid end,
    s.title, n, moment, moment
  from generate_series($1::bigint, $2::bigint) n
  join bench.sentence s on s.id = ${sentenceOf('n * 7919')}
  cross join lateral (select now() - ($3 - n) * interval '2 years' / $3 as moment) at`

const branchRows = `
  insert into conversations.branch (key, conversation_key, name, item_count)
  select n, n, 'MAIN', $3 from generate_series($1::bigint, $2::bigint) n`

/** Message `item_key` of conversation `n`, the `place`th, with its three sentences. */
const messages = `
  from generate_series($1::bigint, $2::bigint) n
  cross join generate_series(1, $3::bigint) place
  cross join lateral (select (n - 1) * $3 + place as item_key) k
  join bench.sentence a on a.id = ${sentenceOf('item_key * 104729')}
  join bench.sentence b on b.id = ${sentenceOf('item_key / 3 * 7919 + 11')}
  join bench.sentence c on c.id = ${sentenceOf('item_key / 7 * 1299709 + 23')}`

const itemRows = `
  insert into conversations.item (key, conversation_key, type, role, status, content, details, created_at, completed_at)
  select item_key, n, 'message', case place % 2 when 1 then 'user' else 'assistant' end, 'completed',
    json_build_array(json_build_object(
      'type', case place % 2 when 1 then 'input_text' else 'output_text' end,
      'text', a.words || ' ' || b.words || ' ' || c.words
    )), '{}', o.created_at, o.created_at
  ${messages}
  join conversations.conversation o on o.key = n`

const placeRows = `
  insert into conversations.branch_item (branch_key, position, public_id, item_key)
  select n, place, 'msg_' || left(md5('i' || item_key), 24), item_key
  from generate_series($1::bigint, $2::bigint) n
  cross join generate_series(1, $3::bigint) place
  cross join lateral (select (n - 1) * $3 + place as item_key) k`

const titleEntries = `
  insert into conversations.search_entry (conversation_key, item_key, owner_id, said_at, version, vector)
  select o.key, 0, o.owner_id, o.created_at, 0, s.title_vector || array_to_tsvector(array[' ' || o.owner_id])
  from conversations.conversation o join bench.sentence s on s.id = ${sentenceOf('o.key * 7919')}
  where o.key between $1 and $2`

const messageEntries = `
  insert into conversations.search_entry (conversation_key, item_key, owner_id, said_at, version, vector)
  select n, item_key, o.owner_id, o.created_at, 0,
    a.vector || b.vector || c.vector || array_to_tsvector(array[' ' || o.owner_id])
  ${messages}
  join conversations.conversation o on o.key = n`
