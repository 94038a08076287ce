import { AppError } from '../../platform/errors.ts'
import type { Resolvers } from './schema.generated.ts'

export const resolvers: Resolvers = {
  Query: {
    media: (_, { id }, { media }) => media.byId(id),
    mediaList: (_, args, { media }) => media.page(args),
    resolveMedia: (_, { ids }, { media }) => media.resolve(ids),
    resolveMediaPayload: (_, { payload }, { media }) => media.resolvePayload(payload),
    publicMedia: (_, { id }, { media }) => media.anyones(id),
  },
  Mutation: {
    createMedia: (_, { input }, { creation }) => creation.create(input),
    prepareMediaUpload: (_, { input }, { uploads }) => uploads.prepare(input),
    completeMediaUpload: async (_, { id }, { uploads, media }) => {
      const stored = await uploads.complete(id)
      if (stored) return stored
      const known = await media.byId(id)
      if (!known)
        throw new AppError('media_not_found', 'No bytes have come for such an upload.', { param: 'id' })
      return { media: known, deduped: true }
    },
    deleteMedia: async (_, { ids }, { media, sweepSoon }) => {
      const deleted = await media.remove(ids)
      sweepSoon()
      return deleted
    },
    beginMediaUpload: (_, { input }, { uploads }) => uploads.begin(input),
    finishMediaUpload: (_, { input }, { uploads }) => uploads.finish(input),
  },
  Media: {
    __resolveReference: ({ id }, { media }) => media.reference(id),
    id: ({ publicId }) => publicId,
    link: async (row, { expiresIn }, { media }) => {
      const { url, expiresAt } = await media.link(row, expiresIn)
      return { url, expiresAt: new Date(expiresAt) }
    },
  },
  Project: {
    media: async ({ id }, args, { media, idsOfProject }) => media.pageOf(await idsOfProject(id), args),
  },
  MediaConnection: {
    totalCount: (page, _, { media }) => media.total(page),
  },
}
