import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

export const memoryResolvers = {
  Query: {
    async recallMemory(_, { input }, { memory }) {
      const { user, project, episodic } = await memory.recall(input)
      return { core: user, semantic: project, episodic }
    },
  },
  Mutation: {
    observeConversation: (_, { input }, { memory }) => memory.observe(input),
    testMemoryEmbedding: (_, __, { memory }) => memory.test(),
  },
} satisfies DepartmentResolvers<Resolvers>
