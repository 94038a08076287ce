import type { DepartmentResolvers } from '../../platform/merge-resolvers.ts'
import { plainText, presentedBlock } from './content/blocks.ts'
import type { ItemRole, ItemStatus, Resolvers } from './schema.generated.ts'
import { maxItemsPerBranch } from './sources/item-writes.ts'

/** Conversations, their items, and the turns that completions store. */
export const resolvers = {
  Query: {
    conversation: (_, { id }, { conversations }) => conversations.byId(id),
    conversations: (_, args, { conversations }) => conversations.page(args),
    turnContext: (_, { input }, { turns }) => turns.context(input),
  },
  Mutation: {
    createConversation: (_, { input }, { conversations }) => conversations.create(input),
    updateConversation: (_, { input }, { conversations }) => conversations.update(input),
    deleteConversation: (_, { id }, { conversations }) => conversations.remove(id),
    deleteConversations: (_, __, { conversations }) => conversations.removeAll(),
    bulkDeleteConversations: (_, { ids }, { conversations }) => conversations.removeMany(ids),
    addItems: (_, { input }, { items }) => items.add(input),
    deleteItem: (_, { input }, { items }) => items.remove(input),
    beginTurn: (_, { input }, { turns }) => turns.begin(input),
    checkpointTurn: (_, { input }, { turns }) => turns.checkpoint(input),
    finishTurn: (_, { input }, { turns }) => turns.finish(input),
    appendTurn: (_, { input }, { turns }) => turns.append(input),
    claimTitle: (_, { input }, { generatedTitles }) => generatedTitles.claim(input),
    setGeneratedTitle: (_, { input }, { generatedTitles }) => generatedTitles.set(input),
  },
  Conversation: {
    __resolveReference: ({ id }, { conversations }) => conversations.byId(id),
    id: ({ publicId }) => publicId,
    project: ({ projectId }) => (projectId == null ? null : { id: projectId }),
    activeBranch: ({ activeBranch }) => activeBranch.name,
    itemCount: ({ activeBranch }) => activeBranch.itemCount,
    itemsLeft: ({ activeBranch }) => Math.max(0, maxItemsPerBranch - activeBranch.itemCount),
    instructionVersion: ({ instructionVersion }) => instructionVersion ?? null,
    effectiveInstructionSnapshot: ({ instructionSnapshot }) => instructionSnapshot ?? null,
    isArchived: ({ archivedAt }) => archivedAt != null,
    item: (conversation, { id }, { items }) => items.ofConversation(conversation, id),
    items: (conversation, args, { items }) => items.page(conversation, args),
  },
  ConversationConnection: {
    totalCount: (page, _, { conversations }) => conversations.total(page),
  },
  Item: {
    __resolveReference: ({ id }, { items }) => items.byId(id),
    id: ({ publicId }) => publicId,
    role: ({ role }) => (role === null ? null : (role.toUpperCase() as ItemRole)),
    status: ({ status }) => status.toUpperCase() as ItemStatus,
    content: ({ content }) => content.map(presentedBlock),
    text: ({ content }) => plainText(content),
    model: ({ modelId }) => (modelId === null ? null : { id: modelId }),
    sequenceNumber: ({ position }) => position,
    name: ({ details }) => details.name ?? null,
    // newer types have arguments that are no text: those stay among the details
    arguments: ({ details }) => (typeof details.arguments === 'string' ? details.arguments : null),
    output: ({ details }) => details.output ?? null,
    error: ({ details }) => details.error ?? null,
    serverLabel: ({ details }) => details.server_label ?? null,
    details({ details: { name, arguments: args, output, error, server_label, ...rest } }) {
      return args === undefined || typeof args === 'string' ? rest : { ...rest, arguments: args }
    },
  },
  Project: {
    __resolveReference: ({ id }) => ({ id }),
    conversations: ({ id }, args, { conversations }) => conversations.pageOfProject(id, args),
  },
  AddedItems: {
    conversation: ({ conversationId }, _, { conversations }) => conversations.existing(conversationId),
  },
  DeletedItem: {
    conversation: ({ conversationId }, _, { conversations }) => conversations.existing(conversationId),
  },
  StoredTurn: {
    conversation: ({ conversation, conversationId }, _, { conversations }) =>
      conversation ?? conversations.existing(conversationId),
  },
  TurnContext: {
    lastUserMessage: ({ messages }) => messages.findLast(({ role }) => role === 'user') ?? null,
  },
} satisfies DepartmentResolvers<Resolvers>
