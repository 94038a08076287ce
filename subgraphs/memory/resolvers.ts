import type { Resolvers } from './schema.generated.ts'
import { importanceOf } from './services/importance.ts'

export const resolvers: Resolvers = {
  Query: {
    memory: (_, { id }, { memories }) => memories.byId(id),
    memories: (_, args, { memories }) => memories.page(args),
    exportMemories: (_, __, { memories }) => memories.all(),
    memoryStats: (_, { projectId }, { memories }) => memories.stats(projectId ?? null),
    rankMemories: (_, { input }, { recall }) => recall.rank(input),
  },
  Mutation: {
    upsertMemories: (_, { input }, { remembering }) => remembering.upsert(input),
    upsertProjectMemories: (_, { input }, { remembering }) => remembering.upsertFacts(input),
    updateMemory: (_, { input }, { memories }) => memories.update(input),
    deleteMemories: (_, { ids }, { memories }) => memories.remove(ids),
    learnMemories: (_, { input }, { remembering }) => remembering.learn(input),
    claimUnembeddedMemories: (_, { model, limit }, { recall }) => recall.claim(model, limit),
    storeMemoryVectors: (_, { model, vectors }, { recall }) => recall.store(model, vectors),
  },
  Memory: {
    __resolveReference: ({ id }, { memories }) => memories.byId(id),
    id: ({ publicId }) => publicId,
    key: ({ topic }) => topic,
    project: ({ projectId }) => (projectId == null ? null : { id: projectId }),
    kind: ({ kind }) => kind ?? null,
    importance: ({ importance }) => importanceOf(importance),
    confidence: ({ confidence }) => confidence ?? null,
    conversation: ({ conversationId }) => (conversationId == null ? null : { id: conversationId }),
  },
  MemoryConnection: {
    totalCount: ({ filter }, _, { memories }) => memories.count(filter),
  },
}
