import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'

export const promptResolvers = {
  Query: {
    activePromptTemplate: (_, { templateKey }, { templates }) => templates.activeByKey(templateKey),
    promptTemplate: (_, { id }, { templates }) => templates.byId(id),
    promptTemplates: (_, args, { templates }) => templates.page(args),
    modelPromptTemplates: (_, { modelId }, { assignments }) => assignments.ofModel(modelId),
    effectivePromptTemplates: (_, { modelId }, { assignments }) => assignments.effective(modelId),
  },
  Mutation: {
    createPromptTemplate: (_, { input }, { templates }) => templates.create(input),
    updatePromptTemplate: (_, { input }, { templates }) => templates.update(input),
    deletePromptTemplate: (_, { id }, { templates }) => templates.remove(id),
    duplicatePromptTemplate: (_, { id, newName }, { templates }) => templates.duplicate(id, newName ?? null),
    assignPromptTemplate: (_, { input }, { assignments }) => assignments.assign(input),
    updateModelPromptTemplate: (_, { input }, { assignments }) => assignments.update(input),
    unassignPromptTemplate: (_, { modelId, templateKey }, { assignments }) =>
      assignments.unassign(modelId, templateKey),
  },
  PromptTemplate: {
    __resolveReference: ({ id }, { templates }) => templates.referenced(id),
    variables: ({ variables }) => [...variables],
  },
  PromptTemplateConnection: {
    totalCount: (page, _, { templates }) => templates.count(page),
  },
  EffectivePromptTemplate: {
    source: ({ origin }) => origin,
  },
} satisfies DepartmentResolvers<Resolvers>
