import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import type { OwnedRows } from '../../platform/owned-rows.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { type ProjectService, projectService } from './service.ts'
import { type ProjectRow, projectSource } from './sources.ts'

/** The scope of one request in this subgraph. */
export interface ProjectsContext extends SubgraphContext {
  readonly projects: ProjectService
}

export function projectsContext(
  request: RequestContext,
  database: SubgraphDatabase,
  byId: OwnedRows<ProjectRow>,
): ProjectsContext {
  const source = projectSource(database, byId)
  return { request, projects: projectService(request.actor, source), clearLoaders: source.clearLoaders }
}
