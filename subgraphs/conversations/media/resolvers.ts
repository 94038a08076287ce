import type { QueryResolvers } from '../schema.generated.ts'

/** What the owner of media has to know of conversations. */
export const mediaResolvers = {
  Query: {
    mediaReferences: (_, { ownerId, ids }, { mediaReferences }) => mediaReferences(ownerId, ids),
  } satisfies Pick<QueryResolvers, 'mediaReferences'>,
}
