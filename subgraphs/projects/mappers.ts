import type { Connection } from '../../platform/pagination.ts'
import type { Project } from './entities.ts'
import type { ProjectRow } from './sources.ts'

/** What resolvers hand on as a `Project`. */
export type ProjectModel = ProjectRow

/** What resolvers hand on as a page; its `totalCount` is counted only when asked for. */
export type ProjectConnectionModel = Connection<Project>
