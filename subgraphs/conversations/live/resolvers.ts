import type { Resolvers } from '../schema.generated.ts'

/** The department of live lists. Events carry ids: what they are of is read when it is told. */
export const liveResolvers = {
  Subscription: {
    conversationChanged: { subscribe: (_, __, { live }) => live.conversations() },
    itemChanged: { subscribe: (_, { conversationId }, { live }) => live.items(conversationId) },
  },
  ConversationEvent: {
    conversation: ({ type, id }, _, { conversations }) =>
      id === null || type === 'DELETED' ? null : conversations.byId(id),
  },
  ItemEvent: {
    item: ({ id }, _, { items }) => (id === null ? null : items.byId(id)),
  },
} satisfies Partial<Resolvers>
