import { LRUCache } from 'lru-cache'
import { Batches } from '../../../platform/batches.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { Block } from '../content/blocks.ts'
import type { HistoryItem } from '../content/chat-messages.ts'
import type { ItemDetails } from '../content/item-draft.ts'
import { branchName, isStorableName } from './branch-writes.ts'
import {
  type ConversationColumns,
  type ConversationRow,
  conversationColumns,
  conversationRow,
} from './conversation-row.ts'

/** What a completion may be told of the past, content and what tools gave back: as much as a request may carry (contract 3.1). */
const maxHistoryBytes = 32 * 1024 * 1024

/**
 * What lies beyond so many bytes as they are kept, which is told without reading it, is beyond the others too: nothing gets longer
 * by being kept, but for a few bytes each.
 */
const maxKeptBytes = maxHistoryBytes + 100_000

/** A conversation and what a model may be told of one of its branches. */
export interface History {
  readonly conversation: ConversationRow
  /** Null when the conversation has no branch of that name. */
  readonly branch: string | null
  /** Whole and broken-off items, oldest first: the newest of them, where there are more than fit into a request. */
  readonly items: readonly HistoryItem[]
}

/** A part of a history: a branch's items up to a position. */
export interface HistoryCut {
  readonly branchKey: string
  readonly upTo: number
}

/** Reads what goes before a completion. Lives as long as the process: what is asked at the same time is read at once. */
export interface HistorySource {
  /** Of the active branch when none is named; null when the owner has no such living conversation. */
  read(ownerId: string, conversationId: string, branch: string | HistoryCut | null): Promise<History | null>
}

interface HistoryRequest {
  readonly key: null
  readonly size: number
  readonly ownerId: string
  readonly conversationId: string
  readonly branch: string | null
  readonly cut: HistoryCut | null
}

type ItemTuple = [
  type: string,
  role: string | null,
  content: readonly Block[],
  callId: string | null,
  details: ItemDetails,
]

interface HistoryColumns extends ConversationColumns {
  readonly at: number
  readonly wantedBranch: string | null
  readonly items: readonly ItemTuple[] | null
  readonly bytes: number
}

/**
 * Every lookup stands in a subquery of its own, that only the index of one key can serve: the plan is kept, and may be
 * made while the tables are still empty.
 */
const historyStatement = `
  select wanted.at, ${conversationColumns('c', 'active')}, wanted_branch.name as "wantedBranch", told.items, told.bytes
  from json_to_recordset($1::json) as wanted (at integer, owner uuid, id text, branch text, branch_key bigint, up_to integer)
  cross join lateral (select * from conversations.conversation where public_id = wanted.id limit 1) c
  cross join lateral (select * from conversations.branch where key = c.active_branch_key limit 1) active
  left join lateral (
    select key, name from conversations.branch
    where conversation_key = c.key and key = coalesce(wanted.branch_key, case
      when wanted.branch is null then c.active_branch_key
      else (select named.key from conversations.branch named where named.conversation_key = c.key and named.name = wanted.branch)
    end) limit 1
  ) wanted_branch on true
  left join lateral (
    select json_agg(json_build_array(i.type, i.role, i.content, i.call_id, i.details) order by i.position) as items,
      coalesce(max(i.told), 0)::integer as bytes
    from (
      select near.*, sum(octet_length(near.content::text) + octet_length(near.details::text)) over (order by near.position desc) as told
      from (
        select place.position, i.*, sum(pg_column_size(i.content) + pg_column_size(i.details)) over (order by place.position desc) as kept
        from conversations.branch_item place
        cross join lateral (
          select type, role, status, content, call_id, details from conversations.item where key = place.item_key limit 1
        ) i
        where place.branch_key = wanted_branch.key and place.position <= coalesce(wanted.up_to, 2147483647)
          and (i.status in ('completed', 'incomplete') or i.type = 'mcp_call')
      ) near
      where near.kept <= ${maxKeptBytes}
    ) i
    where i.told <= ${maxHistoryBytes}
  ) told on true
  where c.owner_id = wanted.owner and c.deleted_at is null`

/** Long histories are read beside others, not in front of them. */
const lanes = 4
/** Conversations of which it is remembered how long their history was. */
const knownSizes = 10_000
const usualSize = 5_000

export function historySource(database: SubgraphDatabase): HistorySource {
  const sizes = new LRUCache<string, number>({ max: knownSizes })
  const together = async (requests: readonly HistoryRequest[]): Promise<(History | null)[]> => {
    const wanted = requests.map(({ ownerId, conversationId, branch, cut }, at) => ({
      at,
      owner: ownerId,
      id: conversationId,
      branch,
      branch_key: cut?.branchKey,
      up_to: cut?.upTo,
    }))
    const rows = await database.prepared<HistoryColumns>('turn_history', historyStatement, [
      JSON.stringify(wanted),
    ])
    const histories: (History | null)[] = requests.map(() => null)
    for (const { at, wantedBranch, items, bytes, ...conversation } of rows) {
      sizes.set(conversation.publicId, bytes)
      histories[at] = {
        conversation: conversationRow(conversation),
        branch: wantedBranch,
        items: (items ?? []).map(historyItem),
      }
    }
    return histories
  }
  const batches = new Batches<HistoryRequest, History | null>({
    together,
    alone: async (request) => (await together([request]))[0] ?? null,
    lanes,
  })

  return {
    read(ownerId, conversationId, branch) {
      // PostgreSQL refuses to be asked for some names; no branch has the empty one.
      const cut = typeof branch === 'string' ? null : branch
      const name = typeof branch !== 'string' ? null : isStorableName(branch) ? branchName(branch) : ''
      const size = sizes.get(conversationId) ?? usualSize
      return batches.ask({ key: null, size, ownerId, conversationId, branch: name, cut })
    },
  }
}

function historyItem([type, role, content, callId, details]: ItemTuple): HistoryItem {
  return { type, role, content, callId, details }
}
