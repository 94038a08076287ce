import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { ItemRating, Resolvers } from '../schema.generated.ts'

/** What is told of items after they were stored: how tool calls ended, what people think. */
export const reportResolvers = {
  Mutation: {
    rateItem: (_, { input }, { ratings }) => ratings.rate(input),
    unrateItem: (_, { input }, { ratings }) => ratings.unrate(input),
    reportToolCall: (_, { input }, { toolCalls }) => toolCalls.report(input),
  },
  Conversation: {
    toolCall: (conversation, { callId }, { toolCalls }) => toolCalls.byCallId(conversation, callId),
  },
  Item: {
    rating: ({ rating }) => (rating === null ? null : (rating.toUpperCase() as ItemRating)),
  },
} satisfies DepartmentResolvers<Resolvers>
