import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

export const settingsResolvers = {
  Query: {
    userSettings: (_, __, { settings }) => settings.own(),
  },
  Mutation: {
    updateUserSettings: (_, { input }, { settings }) => settings.update(input),
  },
  UserSettings: {
    __resolveReference: ({ id }, { settings }) => settings.byId(id),
  },
} satisfies DepartmentResolvers<Resolvers>
