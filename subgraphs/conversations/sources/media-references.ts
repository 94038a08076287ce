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

/** Whether an item `i` may name media: the condition of the index `item_with_media`. */
export const namesMedia = `(i.content::text collate "C" ilike '%jan\\_%' or i.details::text collate "C" ilike '%jan\\_%')`
/** All that an item `i` may name media in. */
export const textOfItem = `coalesce(i.content::text, '') || coalesce(i.details::text, '')`

/** Ids in the midst of a text count too: what somebody may still come back to is kept. */
const references = `
  select distinct lower(named[1]) as id
  from conversations.conversation c
  join conversations.item i on i.conversation_key = c.key
  cross join lateral regexp_matches(${textOfItem}, 'jan_[0-9a-z]{26}', 'gi') as named
  where c.owner_id = $1 and c.deleted_at is null and ${namesMedia}
    and lower(named[1]) = any($2::text[])`
