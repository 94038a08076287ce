import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

/** The end of accounts. */
export const erasureResolvers = {
  Query: {
    pendingErasures: async (_, { subgraph }, { erasures }) => [...(await erasures.pending(subgraph))],
  },
  Mutation: {
    deleteAccount: async (_, { input }, { erasures }) => ({
      id: await erasures.deleteAccount(input.confirm),
    }),
    confirmErasures: (_, { input }, { erasures }) => erasures.confirm(input.subgraph, input.userIds),
  },
} satisfies DepartmentResolvers<Resolvers>
