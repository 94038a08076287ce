import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import { ChunkEvents } from '../completion/chunk-events.ts'
import { frameEvents } from '../completion/frame-events.ts'
import type { Resolvers } from '../schema.generated.ts'

/** Messages that are asked again. */
export const regenerationResolvers = {
  Mutation: {
    regenerate: (_, { input }, { regenerations }) => regenerations.regenerate(input),
  },
  Subscription: {
    regeneration: {
      subscribe: async (_, { input }, { regenerations }) =>
        new ChunkEvents('regeneration', await regenerations.stream(input, false)),
    },
    streamRegeneration: {
      subscribe: async (_, { input, includeUsage }, { regenerations }) =>
        frameEvents('streamRegeneration', await regenerations.stream(input, includeUsage ?? false)),
    },
  },
} satisfies DepartmentResolvers<Resolvers>
