import { mediaIdsIn } from '../../../platform/media-reference.ts'
import type { ItemResolvers, ProjectResolvers, QueryResolvers } from '../schema.generated.ts'

/** What conversations have to do with media. */
export const mediaResolvers = {
  Query: {
    mediaReferences: (_, { ownerId, ids }, { mediaReferences }) => mediaReferences(ownerId, ids),
  } satisfies Pick<QueryResolvers, 'mediaReferences'>,
  Item: {
    media: ({ content, details }) => mediaIdsIn([content, details]).map((id) => ({ id })),
  } satisfies Pick<ItemResolvers, 'media'>,
  Project: {
    mediaIds: ({ id }, _, { mediaOfProject }) => mediaOfProject(id),
  } satisfies Pick<ProjectResolvers, 'mediaIds'>,
}
