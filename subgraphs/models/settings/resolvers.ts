import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

export const settingsResolvers = {
  UserSettings: {
    __resolveReference: (reference) => reference,
    selectedModel: ({ preferences }, _, { settings }) => settings.selectedModel(preferences),
    serverCapabilities: (_, __, { settings }) => settings.serverCapabilities(),
  },
} satisfies DepartmentResolvers<Resolvers>
