import type { RequestContext } from '../../platform/context.ts'
import { OwnProjectDocument } from './operations.generated.ts'

/** Whether the actor has a living project of that id, as the graph knows it. */
export function ownProjectCheck(request: RequestContext): (id: string) => Promise<boolean> {
  return async (id) => (await request.graph.execute(OwnProjectDocument, { id }, request)).project !== null
}
