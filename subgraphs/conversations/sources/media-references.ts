import type { SubgraphDatabase } from '../../../platform/db.ts'

/** Which of these media the owner's living conversations name, in whatever field of an item. */
export async function mediaReferences(
  database: SubgraphDatabase,
  ownerId: string,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await database.prepared<{ id: string }>('media_references', references, [ownerId, ids])
  return rows.map(({ id }) => id)
}

/** Nothing is kept for this when items are written: it is asked once in a month for each media. */
const references = `
  select distinct lower(named[1]) as id
  from conversations.conversation c
  join conversations.item i on i.conversation_key = c.key
  cross join lateral regexp_matches(coalesce(i.content::text, '') || coalesce(i.details::text, ''), 'jan_[0-9a-z]{26}', 'gi') as named
  where c.owner_id = $1 and c.deleted_at is null
    and (i.content::text ilike '%jan\\_%' or i.details::text ilike '%jan\\_%')
    and lower(named[1]) = any($2::text[])`
