import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

export const exportResolvers = {
  Query: {
    exportUsage: (_, args, { exports }) => exports.usagePage(args),
    exportSessions: (_, __, { exports }) => exports.sessions(),
  },
} satisfies DepartmentResolvers<Resolvers>
