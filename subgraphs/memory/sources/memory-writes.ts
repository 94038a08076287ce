import { type Kysely, sql } from 'kysely'
import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { memoryChannel } from '../../../platform/memory-changes.ts'
import type { MemoryItem } from '../entities.ts'
import { type MemoryRow, memoryColumns } from './memory-row.ts'

/** A memory to be written: one of the same owner, scope, project and topic is replaced. */
export type MemoryDraft = Pick<
  MemoryItem,
  | 'publicId'
  | 'scope'
  | 'projectId'
  | 'kind'
  | 'topic'
  | 'text'
  | 'importance'
  | 'confidence'
  | 'conversationId'
>

/** The most that one person can have, episodes not counted. Ranking looks at all of them. */
export const maxMemories = 1_000

/** The episodes that are kept. */
export const keptEpisodes = 100

type Connection = Kysely<Record<never, never>>

/**
 * Writes of one owner follow one another: what they may still add is known for certain, and no two of them wait for each
 * other's rows in turn.
 */
export function changingMemories<T>(
  database: SubgraphDatabase,
  ownerId: string,
  work: (db: Connection, em: EntityManager) => Promise<T>,
): Promise<T> {
  return database.fork().transactional(async (em) => {
    const db = em.getKysely() as Connection
    await sql`select pg_advisory_xact_lock(hashtextextended(${`memory:${ownerId}`}, 0))`.execute(db)
    const result = await work(db, em)
    await sql`select pg_notify(${memoryChannel}, ${ownerId})`.execute(db)
    return result
  })
}

/**
 * Writes drafts, at most as many new ones as there is room for, the first of them; the rows in the order of the drafts. Of drafts
 * with the same topic the last counts, in the place of each.
 */
export async function upsertMemories(
  db: Connection,
  ownerId: string,
  drafts: readonly MemoryDraft[],
): Promise<MemoryRow[]> {
  if (drafts.length === 0) return []
  const { rows } = await sql<MemoryRow>`
    with given as (
      select g.at, d.* from jsonb_array_elements(${JSON.stringify(drafts)}::jsonb) with ordinality as g (draft, at)
      cross join jsonb_to_record(g.draft) as d (
        "publicId" text, scope text, "projectId" text, kind text, topic text, text text, importance smallint,
        confidence real, "conversationId" text
      )
    ), wanted as (
      select distinct on (scope, "projectId", lower(topic)) * from given
      order by scope, "projectId", lower(topic), at desc
    ), placed as (
      select w.*, w.scope = 'EPISODE' or m.key is not null as has_place,
        count(*) filter (where w.scope <> 'EPISODE' and m.key is null) over (order by w.at) as new_number
      from wanted w left join memory.item m
        on m.owner_id = ${ownerId} and m.scope = w.scope and m.project_id is not distinct from w."projectId"
        and lower(m.topic) = lower(w.topic)
    ), written as (
      insert into memory.item as m (public_id, owner_id, scope, project_id, kind, topic, text, importance, confidence,
        conversation_id)
      select "publicId", ${ownerId}, scope, "projectId", kind, topic, text, importance, confidence, "conversationId"
      from placed
      where has_place or new_number <= ${maxMemories} - (
        select count(*) from memory.item where owner_id = ${ownerId} and scope <> 'EPISODE'
      )
      order by at
      on conflict (owner_id, scope, project_id, lower(topic)) do update set
        topic = excluded.topic, text = excluded.text, kind = excluded.kind, importance = excluded.importance,
        confidence = excluded.confidence, conversation_id = excluded.conversation_id, updated_at = now(),
        revision = m.revision + 1, embedding = null, embedding_model = null, claimed_until = null
      returning m.*
    )
    select ${sql.raw(memoryColumns('w'))} from given g join written w
      on w.scope = g.scope and w.project_id is not distinct from g."projectId" and lower(w.topic) = lower(g.topic)
    order by g.at`.execute(db)
  return rows
}

/** Forgets what is no longer true. @returns the ids of those that were there */
export async function removeMemories(
  db: Connection,
  ownerId: string,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<{ id: string }>`
    delete from memory.item where owner_id = ${ownerId} and public_id = any(${[...ids]}::text[])
    returning public_id as id`.execute(db)
  return rows.map(({ id }) => id)
}

/** Removes everything that is remembered of a user. What is written meanwhile comes before it, or after. */
export async function eraseOwner(database: SubgraphDatabase, ownerId: string): Promise<void> {
  await changingMemories(database, ownerId, async (db) => {
    await sql`delete from memory.item where owner_id = ${ownerId}`.execute(db)
    await sql`delete from memory.forgotten where owner_id = ${ownerId}`.execute(db)
  })
}

/** Drops the oldest episodes beyond those that are kept. */
export async function dropOldEpisodes(db: Connection, ownerId: string): Promise<void> {
  await sql`
    delete from memory.item where key in (
      select key from memory.item where owner_id = ${ownerId} and scope = 'EPISODE'
      order by updated_at desc, key desc offset ${keptEpisodes}
    )`.execute(db)
}
