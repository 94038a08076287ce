import type { RequestContext } from '../../platform/context.ts'
import { OwnProjectDocument, type OwnProjectQuery } from './operations.generated.ts'

/** A living project of the actor's. */
export type OwnProject = NonNullable<OwnProjectQuery['project']>

/** The actor's living project of that id, as the graph knows it; null when there is none. */
export function ownProjects(request: RequestContext): (id: string) => Promise<OwnProject | null> {
  return async (id) => (await request.graph.execute(OwnProjectDocument, { id }, request)).project
}
