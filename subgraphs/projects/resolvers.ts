import type { Resolvers } from './schema.generated.ts'

export const resolvers: Resolvers = {
  Query: {
    project: (_, { id }, { projects }) => projects.byId(id),
    projects: (_, args, { projects }) => projects.page(args),
  },
  Mutation: {
    createProject: (_, { input }, { projects }) => projects.create(input),
    updateProject: (_, { input }, { projects }) => projects.update(input),
    deleteProject: (_, { id }, { projects }) => projects.remove(id),
  },
  Project: {
    __resolveReference: ({ id }, { projects }) => projects.byId(id),
    id: ({ publicId }) => publicId,
    isArchived: ({ archivedAt }) => archivedAt != null,
  },
  ProjectConnection: {
    totalCount: (_, __, { projects }) => projects.count(),
  },
}
