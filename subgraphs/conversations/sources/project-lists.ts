import DataLoader from 'dataloader'
import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { type Group, inGroups } from '../../../platform/in-groups.ts'
import { Conversation } from '../entities.ts'
import type { BoundedPage } from './settled-key.ts'
import { connection } from './transaction.ts'

/** Which conversations of a project a list holds. */
export interface ProjectFilter {
  /** Null: everybody's. */
  readonly ownerId: string | null
  readonly referrer: string | null
  readonly projectId: string
  /** Only those that were put away, or only those that were not; null: both. */
  readonly archived: boolean | null
}

/** Reads the lists of many projects at once: requests that differ in their project alone share a statement. */
export interface ProjectLists {
  /** Up to `limit + 1` conversations. A cursor is not checked: one that names nothing finds nothing. */
  page(filter: ProjectFilter, page: BoundedPage): Promise<Conversation[]>
  count(filter: ProjectFilter): Promise<number>
}

interface PageRequest {
  readonly filter: ProjectFilter
  readonly page: BoundedPage
}

/** The lists of one request. Nothing is remembered between two batches. */
export function projectLists(database: SubgraphDatabase): ProjectLists {
  const pages = new DataLoader<PageRequest, Conversation[]>(
    (requests) =>
      inGroups(
        requests,
        ({ filter: { ownerId, referrer, archived }, page: { limit, after, offset, descending, upTo } }) =>
          JSON.stringify([ownerId, referrer, archived, limit, after, offset, descending, upTo]),
        (group) => readPages(database, group),
      ),
    { cache: false },
  )
  const counts = new DataLoader<ProjectFilter, number>(
    (filters) =>
      inGroups(
        filters,
        ({ ownerId, referrer, archived }) => JSON.stringify([ownerId, referrer, archived]),
        (group) => readCounts(database, group),
      ),
    { cache: false },
  )
  return {
    page: (filter, page) => pages.load({ filter, page }),
    count: (filter) => counts.load(filter),
  }
}

async function readPages(database: SubgraphDatabase, group: Group<PageRequest>): Promise<Conversation[][]> {
  const [{ filter, page }] = group
  const ids = new Set(group.map((request) => request.filter.projectId))
  const { text, parameters } = pageKeys(filter, page)
  const rows = await database
    .fork()
    .createQueryBuilder(Conversation, 'c')
    .leftJoinAndSelect('c.activeBranch', 'b')
    .where(`c.key in (${text})`, [JSON.stringify([...ids]), ...parameters])
    .orderBy({ key: page.descending ? 'desc' : 'asc' })
    .getResultList()
  const byProject = Map.groupBy(rows, ({ projectId }) => projectId)
  return group.map((request) => byProject.get(request.filter.projectId) ?? [])
}

/** The keys of a page of every project; the projects' ids, as a JSON array, are the first parameter. */
function pageKeys(
  { ownerId, referrer, archived }: ProjectFilter,
  { after, descending, limit, offset, upTo }: BoundedPage,
) {
  const [order, beyond] = descending ? ['desc', '<'] : ['asc', '>']
  const owned = ownerId === null ? [] : [ownerId]
  const referred = referrer === null ? [] : [referrer]
  const cursor = after === null ? [] : [after, ...owned]
  const bound = upTo === null ? [] : [upTo]
  const ownedBy = (alias: string) => (ownerId === null ? '' : `and ${alias}.owner_id = ?`)
  const text = `
    select page.key from jsonb_array_elements_text(?::jsonb) as project (id)
    cross join lateral (
      select l.key from conversations.conversation l
      where l.project_id = project.id and l.deleted_at is null ${ownedBy('l')}
        ${referrer === null ? '' : 'and l.referrer = ?'}
        ${archived === null ? '' : `and l.archived_at is ${archived ? 'not null' : 'null'}`}
        ${after === null ? '' : `and l.key ${beyond} (select k.key from conversations.conversation k where k.public_id = ? ${ownedBy('k')})`}
        ${upTo === null ? '' : 'and l.key <= ?::bigint'}
      order by l.key ${order} limit ? offset ?
    ) page`
  return { text, parameters: [...owned, ...referred, ...cursor, ...bound, limit + 1, offset] }
}

async function readCounts(database: SubgraphDatabase, group: Group<ProjectFilter>): Promise<number[]> {
  const [{ ownerId, referrer, archived }] = group
  const ids = group.map(({ projectId }) => projectId)
  const { rows } = await sql<{ projectId: string; count: number }>`
    select project_id as "projectId", count(*)::integer as count from conversations.conversation
    where project_id = any(${ids}::text[]) and deleted_at is null
      ${ownerId === null ? sql`` : sql`and owner_id = ${ownerId}`}
      ${referrer === null ? sql`` : sql`and referrer = ${referrer}`}
      ${archived === null ? sql`` : archived ? sql`and archived_at is not null` : sql`and archived_at is null`}
    group by project_id`.execute(connection(database))
  const counts = new Map(rows.map(({ projectId, count }) => [projectId, count]))
  return ids.map((id) => counts.get(id) ?? 0)
}
