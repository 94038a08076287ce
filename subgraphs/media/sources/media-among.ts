import DataLoader from 'dataloader'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { type Group, inGroups } from '../../../platform/in-groups.ts'
import type { Page } from '../../../platform/pagination.ts'
import { type MediaRow, mediaColumns } from './media-row.ts'

/** Reads lists of media that somebody else has named: those of many projects share a statement. */
export interface MediaAmong {
  /** Up to `limit + 1` of the owner's media of these ids. A cursor is not checked: one that names nothing finds nothing. */
  pageAmong(ownerId: string, ids: readonly string[], page: Page): Promise<MediaRow[]>
  countAmong(ownerId: string, ids: readonly string[]): Promise<number>
}

interface ListRequest {
  readonly ownerId: string
  readonly ids: readonly string[]
}
interface PageRequest extends ListRequest {
  readonly page: Page
}

/** The lists of one request. Nothing is remembered between two batches. */
export function mediaAmong(database: SubgraphDatabase): MediaAmong {
  const pages = new DataLoader<PageRequest, MediaRow[]>(
    (requests) =>
      inGroups(
        requests,
        ({ ownerId, page: { limit, after, offset, descending } }) =>
          JSON.stringify([ownerId, limit, after, offset, descending]),
        (group) => readPages(database, group),
      ),
    { cache: false },
  )
  const counts = new DataLoader<ListRequest, number>(
    (requests) =>
      inGroups(
        requests,
        ({ ownerId }) => ownerId,
        (group) => readCounts(database, group),
      ),
    { cache: false },
  )
  return {
    pageAmong: (ownerId, ids, page) => pages.load({ ownerId, ids, page }),
    countAmong: (ownerId, ids) => counts.load({ ownerId, ids }),
  }
}

async function readPages(database: SubgraphDatabase, group: Group<PageRequest>): Promise<MediaRow[][]> {
  const [{ ownerId, page }] = group
  const { limit, after, offset, descending } = page
  const lists = distinctLists(group)
  const rows = await database.prepared<MediaRow & { place: number; key: string }>(
    descending ? 'media_among_newest' : 'media_among_oldest',
    descending ? newest : oldest,
    [ownerId, JSON.stringify(lists), after, limit + 1, offset],
  )
  const byList = Map.groupBy(rows, ({ place }) => lists[place - 1])
  return group.map(({ ids }) => byList.get(ids)?.map(({ place, key, ...row }) => row) ?? [])
}

async function readCounts(database: SubgraphDatabase, group: Group<ListRequest>): Promise<number[]> {
  const [{ ownerId }] = group
  const lists = distinctLists(group)
  const rows = await database.prepared<{ count: number }>('media_among_counts', counted, [
    ownerId,
    JSON.stringify(lists),
  ])
  const counts = new Map(rows.map(({ count }, index) => [lists[index], count]))
  return group.map(({ ids }) => counts.get(ids) ?? 0)
}

/** Many may ask for the one list of a project. */
const distinctLists = (group: Group<ListRequest>) => [...new Set(group.map(({ ids }) => ids))]

/** Each list of ids with its place, counted from 1; what of it is the owner's. */
const lists = 'jsonb_array_elements($2::jsonb) with ordinality as list (ids, place)'
const ofList = 'm.owner_id = $1 and m.public_id in (select jsonb_array_elements_text(list.ids))'

const newest = pageText('desc', '<')
const oldest = pageText('asc', '>')
function pageText(order: 'asc' | 'desc', beyond: '<' | '>'): string {
  return `
  select list.place::integer, page.* from ${lists}
  cross join lateral (
    select m.key, ${mediaColumns} from media.media m
    where ${ofList} and (
      $3::text is null or m.key ${beyond} (select c.key from media.media c where c.public_id = $3 and c.owner_id = $1)
    )
    order by m.key ${order} limit $4 offset $5
  ) as page
  order by list.place, page.key ${order}`
}

const counted = `
  select (select count(*) from media.media m where ${ofList})::integer as count from ${lists} order by list.place`
