import { z } from 'zod'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { projectsContext } from './context.ts'
import { Project } from './entities.ts'
import { projects as createProjects } from './migrations/0001-projects.ts'
import { instructionVersion } from './migrations/0002-instruction-version.ts'
import { deletedOfOwner } from './migrations/0003-deleted-of-owner.ts'
import { projectsById } from './projects-by-id.ts'
import { resolvers } from './resolvers.ts'
import { eraseOwner } from './sources.ts'

/** Projects and their instructions. */
export const projects = defineSubgraph({
  name: 'projects',
  home: import.meta.url,
  resolvers,
  persistence: { entities: [Project], migrations: [createProjects, instructionVersion, deletedOfOwner] },
  config: z.object({}),
  start({ database }) {
    const byId = projectsById(database)
    return {
      createContext: (request) => projectsContext(request, database, byId),
      erase: (userId) => eraseOwner(database, userId),
    }
  },
})
