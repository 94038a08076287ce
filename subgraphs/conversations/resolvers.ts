import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { branchResolvers } from './resolvers/branches.ts'
import { conversationResolvers } from './resolvers/conversations.ts'
import type { Resolvers } from './schema.generated.ts'

export const resolvers: Resolvers = mergeResolvers(conversationResolvers, branchResolvers)
