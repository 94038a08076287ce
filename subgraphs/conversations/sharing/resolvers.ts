import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import { presentedBlock } from '../content/blocks.ts'
import type { ItemRole, Resolvers } from '../schema.generated.ts'

/** The resolvers of shares. */
export const shareResolvers = {
  Query: {
    shares: (_, args, { shares }) => shares.page(args),
    exportShares: (_, args, { shares }) => shares.exportPage(args),
    publicShare: (_, { slug }, { publicLinks }) => publicLinks.open(slug),
  },
  Mutation: {
    shareConversation: (_, { input }, { shares }) => shares.shareConversation(input),
    shareItem: (_, { input }, { shares }) => shares.shareItem(input),
    revokeShare: (_, { id, conversationId }, { shares }) => shares.revoke(id, conversationId ?? null),
  },
  Conversation: {
    shares: (conversation, args, { shares }) => shares.pageOfConversation(conversation, args),
  },
  Share: {
    id: ({ publicId }) => publicId,
    url: ({ slug }, _, { linkOf }) => linkOf(slug),
  },
  PublicShare: {
    snapshot: (share, _, { publicLinks }) => publicLinks.read(share),
  },
  SharedItem: {
    role: ({ role }) => role.toUpperCase() as ItemRole,
    content: ({ content }) => content.map(presentedBlock),
  },
} satisfies DepartmentResolvers<Resolvers>
