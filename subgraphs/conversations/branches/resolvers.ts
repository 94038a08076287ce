import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

/** Branches of conversations, and what makes them (contract 3.3, 3.4). */
export const branchResolvers = {
  Query: {
    turnForkPoint: (_, { input }, { forks }) => forks.lastModel(input),
  },
  Mutation: {
    editItem: (_, { input }, { forks }) => forks.edit(input),
    prepareRegeneration: (_, { input }, { forks }) => forks.prepareRegeneration(input),
    createBranch: (_, { input }, { branches }) => branches.create(input),
    deleteBranch: (_, { input }, { branches }) => branches.remove(input),
    activateBranch: (_, { input }, { branches }) => branches.activate(input),
  },
  Conversation: {
    branches: (conversation, _, { branches }) => branches.ofConversation(conversation),
    branchPage: (conversation, args, { branches }) => branches.page(conversation, args),
    branch: (conversation, { name }, { branches }) => branches.byName(conversation, name),
  },
} satisfies DepartmentResolvers<Resolvers>
