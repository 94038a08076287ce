import DataLoader from 'dataloader'
import type { RequestContext } from '../../platform/context.ts'
import { MediaOfProjectsDocument } from './operations.generated.ts'

/** Reads for one request which media the caller's conversations of a project name. */
export interface ProjectMedia {
  /** Newest first. The same list each time, however many lead to the project. */
  idsOfProject(projectId: string): Promise<readonly string[]>
  clearLoaders(): void
}

/**
 * Each project is asked for once: a list may be long, and a thousand conversations may lead to the one project, so no list goes
 * through the graph with every reference to it.
 */
export function projectMedia(request: RequestContext): ProjectMedia {
  const loader = new DataLoader<string, readonly string[]>(async (ids) => {
    const { mediaOfProjects } = await request.graph.execute(
      MediaOfProjectsDocument,
      { ids: [...ids] },
      request,
    )
    return mediaOfProjects
  })
  return {
    idsOfProject: (projectId) => loader.load(projectId),
    clearLoaders: () => {
      loader.clearAll()
    },
  }
}
