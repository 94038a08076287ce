import type { SubgraphDatabase } from '../../../platform/db.ts'
import { namesMedia, textOfItem } from './media-references.ts'

/** Beyond it a project is no gallery: the older ones are left out. */
const mostMedia = 10_000

/** Which media the owner's conversations of each of these projects name, in the order of the projects. Each is read once. */
export async function mediaOfProjects(
  database: SubgraphDatabase,
  ownerId: string,
  projectIds: readonly string[],
): Promise<string[][]> {
  const rows = await database.prepared<{ projectId: string; ids: string[] }>('media_of_projects', named, [
    ownerId,
    [...new Set(projectIds)],
    mostMedia,
  ])
  const byProject = new Map(rows.map(({ projectId, ids }) => [projectId, ids]))
  return projectIds.map((id) => byProject.get(id) ?? [])
}

/** A JSON text that is nothing but a media's id, in the spellings of `mediaIdIn`. */
const placeholder = String.raw`(?<!\\)"(?:data:[\w.+-]+/[\w.+-]+;(?:base64,)?)?(jan_[0-9a-z]{26})"`

/** Newest uploads first, for the ids begin with their time. An item that is deleted on every branch names nothing any more. */
const named = `
  select project.id as "projectId", array(
    select distinct lower(found[1]) as id
    from conversations.conversation c
    join conversations.item i on i.conversation_key = c.key
    cross join lateral regexp_matches(${textOfItem}, '${placeholder}', 'gi') as found
    where c.owner_id = $1 and c.project_id = project.id and c.deleted_at is null and ${namesMedia}
      and exists (select from conversations.branch_item b where b.item_key = i.key and b.deleted_at is null)
    order by id desc limit $3
  ) as ids
  from unnest($2::text[]) as project (id)`
