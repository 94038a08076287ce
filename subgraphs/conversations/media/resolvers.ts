import { mediaIdsIn } from '../../../platform/media-reference.ts'
import type { ItemResolvers, QueryResolvers } from '../schema.generated.ts'

/** What conversations have to do with media. */
export const mediaResolvers = {
  Query: {
    mediaReferences: (_, { ownerId, ids }, { mediaReferences }) => mediaReferences(ownerId, ids),
    mediaOfProjects: (_, { ids }, { mediaOfProjects }) => mediaOfProjects(ids),
  } satisfies Pick<QueryResolvers, 'mediaReferences' | 'mediaOfProjects'>,
  Item: {
    media: ({ content, details }) => mediaIdsIn([content, details]).map((id) => ({ id })),
  } satisfies Pick<ItemResolvers, 'media'>,
}
