import type { SubgraphDatabase } from '../../../platform/db.ts'
import { escapedHtml } from '../../../platform/html.ts'
import type { SearchTerms } from '../content/search-text.ts'

/** What is searched, and for what. */
export interface SearchRequest {
  readonly ownerId: string
  readonly terms: SearchTerms
  readonly projectId: string | null
  readonly referrer: string | null
  /** Null: put away or not. */
  readonly archived: boolean | null
}

/** A conversation in which something was found. */
export interface RankedConversation {
  readonly id: string
  /** From 0 to 1: how well it matches, less the older it is. */
  readonly score: number
  /** Its best messages that match, best first, by the ids of the active branch. */
  readonly itemIds: readonly string[]
}

/** How many of an owner's newest entries are all looked at, whatever is searched. */
const recentEntries = 4_000
/** With so many found among them, older ones are not looked for. */
const enoughFound = 40
/** How many of the newest matches are ranked. */
const mostRecent = 200
/** How many matches of any age are ranked besides. */
const mostOlder = 80
/** So many, where none of those stands on an active branch: a message that is edited over and over leaves as many behind. */
const mostOlderThen = 800
export const mostHits = mostRecent + mostOlderThen
/** As many messages as are shown of a conversation. */
const shownMessages = 3
/** After so long a match counts for 1/e of what it did: half a year. */
const fadeSeconds = 180 * 86_400

/** `websearch_to_tsquery` takes whatever a person types; the word that may go on is letters and digits alone. */
const given = `websearch_to_tsquery('conversations.search', $1)`
const begun = `to_tsquery('conversations.search', $2 || ':*')`
const query = `(case when $2::text is null then ${given} else ${given} && ${begun} end)`

/**
 * The place in the order is made of the rank and the moment alone, and stays the same as time goes by: the rank fades
 * at the same rate everywhere. A match in the title counts as ten words of messages.
 */
const rankedStatement = `
  with asked as materialized (
    select ${query} as query, case when $2::text is not null then ${begun} end as prefix,
      to_tsquery('conversations.search', $2) as prefix_whole,
      array(
        select word from (select plainto_tsquery('conversations.search', w) as word from unnest($6::text[]) w) parsed
        where numnode(word) > 0
      ) as words
  )
  select found.conversation_id as id, found.item_ids as "itemIds", found.nth, found.hits,
    least(exp(found.place - extract(epoch from now()) / ${fadeSeconds}), 1)::real as score
  from asked cross join lateral conversations.search_hits(
    $3, asked.query, asked.words, asked.prefix, asked.prefix_whole, $7, $4, $5, $8,
    ${recentEntries}, ${enoughFound}, ${mostRecent}, $10, ${fadeSeconds}, ${shownMessages}, $9
  ) found
  where numnode(asked.query) > 0
  order by found.nth`

/** The best of what was found. */
export interface Ranking {
  /** The best first. */
  readonly conversations: readonly RankedConversation[]
  /** How many were found: all of them where the words are rare, else of what is newest. */
  readonly total: number
}

interface RankedRow {
  readonly id: string
  readonly score: number
  readonly itemIds: readonly string[] | null
  readonly nth: number
  readonly hits: number
}

/**
 * Where the words are rare, all that there is to be found, else what is newest.
 * @param wanted how many are asked for; no more than `mostHits` are ranked
 */
export async function rankedConversations(
  database: SubgraphDatabase,
  { ownerId, terms, projectId, referrer, archived }: SearchRequest,
  wanted: number,
): Promise<Ranking> {
  const { text, prefix, words, isChoice } = terms
  const asked = [text, prefix, ownerId, projectId, referrer, words, isChoice, archived, wanted]
  const rank = (older: number) =>
    database.prepared<RankedRow>('search_ranked', rankedStatement, [...asked, older])
  const some = await rank(mostOlder)
  const rows = some.length > 0 ? some : await rank(mostOlderThen)
  return {
    conversations: rows.map(({ id, score, itemIds }) => ({ id, score, itemIds: itemIds ?? [] })),
    total: totalOf(rows, wanted),
  }
}

/** Those that no place of theirs is left of are known only as far as they were looked at. */
function totalOf(rows: readonly RankedRow[], wanted: number): number {
  const last = rows.at(-1)
  if (!last || rows.length < wanted) return rows.length
  return last.hits - (last.nth - rows.length)
}

/** A text in which words are to be marked. */
export interface Passage {
  readonly text: string
  /** Keep all of it, rather than what is around the words. */
  readonly whole: boolean
}

const marks = 'StartSel=<mark>, StopSel=</mark>'
const headlineStatement = `
  select ts_headline('conversations.search', given.passage, asked.query,
    case when given.whole then '${marks}, HighlightAll=true' else '${marks}, MinWords=20, MaxWords=40, ShortWord=0' end
  ) as headline
  from (select ${query} as query) asked,
    unnest($3::text[], $4::boolean[]) with ordinality as given (passage, whole, place)
  order by given.place`

/** The passages as HTML: escaped, what was searched in `<mark>`. */
export async function markedPassages(
  database: SubgraphDatabase,
  { text, prefix }: SearchTerms,
  passages: readonly Passage[],
): Promise<readonly string[]> {
  if (passages.length === 0) return []
  const rows = await database.prepared<{ headline: string }>('search_headlines', headlineStatement, [
    text,
    prefix,
    passages.map((passage) => escapedHtml(passage.text)),
    passages.map(({ whole }) => whole),
  ])
  return rows.map(({ headline }) => headline)
}
