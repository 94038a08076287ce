import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import {
  type Connection,
  invalidCursor,
  type Page,
  type PageArguments,
  toConnection,
  toPage,
} from '../../../platform/pagination.ts'
import { requiredText } from '../../../platform/text.ts'
import { excerpt, type SearchTerms, searchableText, searchTerms } from '../content/search-text.ts'
import type { OwnProject } from '../own-project.ts'
import { givenReferrer } from '../service/conversations.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import type { ConversationSource } from '../sources/conversations.ts'
import type { ItemRow } from '../sources/item-row.ts'
import type { ItemSource } from '../sources/items.ts'
import { indexChangesOf } from '../sources/search-index.ts'
import {
  markedPassages,
  mostHits,
  type Passage,
  type RankedConversation,
  rankedConversations,
} from '../sources/search-ranking.ts'

const maxTextLength = 500

/** A message that matches. */
export interface SearchMatch {
  readonly item: ItemRow
  /** HTML. */
  readonly snippet: string
}

/** A conversation in which something was found. */
export interface SearchHit {
  readonly conversation: ConversationRow
  readonly score: number
  /** HTML; null without a title. */
  readonly title: string | null
  readonly matches: readonly SearchMatch[]
}

/** A page of what was found. */
export interface SearchPage extends Connection<SearchHit> {
  readonly totalCount: number
}

/** What is asked for. */
export interface SearchArguments extends PageArguments {
  readonly text: string
  readonly projectId?: string | null
  readonly referrer?: string | null
  readonly archived?: boolean | null
}

/** What the rules of searching need. */
export interface SearchScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly conversations: ConversationSource
  readonly items: ItemSource
  /** The actor's project of that id, if there is one; asked of the graph. */
  readonly ownProject: (id: string) => Promise<OwnProject | null>
}

/** The rules of searching: the caller's own living conversations, and what stands on their active branches. */
export function searchService({ actor, database, conversations, items, ownProject }: SearchScope) {
  const found = async (ranked: readonly RankedConversation[], terms: SearchTerms): Promise<SearchHit[]> => {
    const ownerId = requireActor(actor).id
    // where messages hold large pictures, those of the best hits alone are shown
    const wanted = ranked.flatMap(({ itemIds }) => itemIds)
    const [rows, ...living] = await Promise.all([
      items.firstByIds(ownerId, wanted),
      ...ranked.map(({ id }) => conversations.byId(ownerId, id)),
    ])
    const byId = new Map(rows.map((row) => [row.publicId, row]))
    const read = ranked.map(({ score, itemIds }, at) => ({
      score,
      conversation: living[at] ?? null,
      items: itemIds.flatMap((itemId) => byId.get(itemId) ?? []),
    }))
    // what was deleted since it was ranked is left out
    const hits = read.flatMap(({ conversation, ...rest }) =>
      conversation ? [{ conversation, ...rest }] : [],
    )
    const marked = await markedPassages(
      database,
      terms,
      hits.flatMap((hit) => passagesOf(hit, terms)),
    )
    let next = 0
    const nextMarked = () => marked[next++] ?? ''
    return hits.map(({ conversation, score, items: matching }) => ({
      conversation,
      score,
      title: conversation.title == null ? null : nextMarked(),
      matches: matching.map((item) => ({ item, snippet: nextMarked() })),
    }))
  }

  return {
    /** @throws AppError `invalid_parameter` naming `search` or `referrer`, `invalid_id` naming `project_id`, `invalid_cursor` */
    async page({ text, projectId, referrer, archived, ...args }: SearchArguments): Promise<SearchPage> {
      const ownerId = requireActor(actor).id
      const terms = searchTerms(requiredText(text, { param: 'search', max: maxTextLength }).trim())
      const page = toPage(args)
      const filter = {
        projectId: projectId ?? null,
        referrer: givenReferrer(referrer),
        archived: archived ?? null,
      }
      if (projectId != null) {
        assertIdShape('project', projectId, 'project_id')
        if (!(await ownProject(projectId)))
          return { ...toConnection<SearchHit>([], page, idOf), totalCount: 0 }
      }
      await indexChangesOf(database, ownerId)
      const request = { ownerId, terms, ...filter }
      const { conversations: ranked, total } = await rankedConversations(database, request, wantedOf(page))
      const start = startOf(ranked, page)
      const hits = await found(ranked.slice(start, start + page.limit), terms)
      const { edges, nodes, pageInfo } = toConnection(hits, page, idOf)
      const hasNextPage = ranked.length > start + page.limit
      return { edges, nodes, pageInfo: { ...pageInfo, hasNextPage }, totalCount: total }
    },
  }
}

/** The service of one request. */
export type SearchService = ReturnType<typeof searchService>

const idOf = ({ conversation }: SearchHit) => conversation.publicId

/** One more than is shown tells that more follow. Where a cursor stands in the order, only the order tells. */
function wantedOf({ limit, after, offset }: Page): number {
  return after === null ? Math.min(offset + limit + 1, mostHits) : mostHits
}

/** The whole order is made anew for every page: a cursor is found in it again. */
function startOf(ranked: readonly RankedConversation[], { after, offset }: Page): number {
  if (after === null) return offset
  const place = ranked.findIndex(({ id }) => id === after)
  if (place < 0) throw invalidCursor(after)
  return place + 1
}

function passagesOf(
  { conversation: { title }, items }: { conversation: ConversationRow; items: readonly ItemRow[] },
  { text, prefix }: SearchTerms,
): Passage[] {
  const searched = `${text} ${prefix ?? ''}`
  return [
    ...(title == null ? [] : [{ text: title, whole: true }]),
    ...items.map(({ content }) => ({ text: excerpt(searchableText(content), searched), whole: false })),
  ]
}
