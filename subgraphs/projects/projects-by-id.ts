import type { SubgraphDatabase } from '../../platform/db.ts'
import { type OwnedRows, ownedRows, type RowAt } from '../../platform/owned-rows.ts'
import type { ProjectRow } from './sources.ts'

/** Live projects by their owners and ids. */
export function projectsById(database: SubgraphDatabase): OwnedRows<ProjectRow> {
  return ownedRows((owners, ids) =>
    database.prepared<RowAt<ProjectRow>>('projects_by_id', statement, [owners, ids]),
  )
}

/** Ids alone find rows, each by the index of ids, whatever is believed of their owners when this is planned. */
const statement = `
  select wanted.at::integer, p.key, p.public_id as "publicId", p.owner_id as "ownerId", p.name, p.instruction,
    p.instruction_version as "instructionVersion", p.description, p.is_favorite as "isFavorite",
    p.archived_at as "archivedAt", p.created_at as "createdAt", p.updated_at as "updatedAt"
  from unnest($1::uuid[], $2::text[]) with ordinality as wanted (owner, id, at)
  cross join lateral (select * from projects.project where public_id = wanted.id limit 1) p
  where p.owner_id = wanted.owner and p.deleted_at is null`
