import { z } from 'zod'
import {
  AssignPromptTemplateDocument,
  EffectivePromptTemplatesDocument,
  type EffectivePromptTemplatesQuery,
  ModelPromptTemplatesDocument,
  UnassignPromptTemplateDocument,
  UpdateModelPromptTemplateDocument,
} from '../operations.generated.ts'
import {
  assignmentJson,
  assignmentResource,
  exampleAssignment,
  exampleTemplate,
  exampleTemplateId,
  templateJson,
  templateResource,
} from '../present/prompt-template.ts'
import { type Route, type RouteInput, route } from '../route.ts'
import { dual, dualOf } from '../shapes.ts'

const tag = 'Prompt templates'
const description = 'For administrators.'

const assignBody = z.object({
  template_key: z.string().describe('The key that the template stands in for.'),
  prompt_template_id: z.string().describe('The id of a template.'),
  priority: z.int32().nullish().describe('Its place in lists; the highest is first.'),
  is_active: z.boolean().nullish().describe('Whether it is used.'),
})

const updateBody = assignBody.omit({ template_key: true }).partial()

const assignmentList = z
  .object({
    data: z.array(assignmentResource),
    total: z.int(),
    page: z.literal(1).describe('All of them stand on one page.'),
    limit: z.int(),
  })
  .meta({ examples: [{ data: [exampleAssignment], total: 1, page: 1, limit: 1 }] })

const sources = ['model_specific', 'global_default', 'hardcoded'] as const
const kinds = { model_specific: 'model', global_default: 'global', hardcoded: 'hardcoded' } as const

const effectiveTemplates = z.object({
  templates: z.record(
    z.string(),
    z.object({
      template: templateResource.or(z.object({ template_key: z.string(), content: z.string() })),
      source: z.enum(sources),
      source_kind: z.enum(Object.values(kinds)),
    }),
  ),
})

const effective = effectiveTemplates.meta({
  examples: [
    {
      templates: {
        code_assistant: { template: exampleTemplate, source: 'model_specific', source_kind: 'model' },
      },
    } satisfies z.output<typeof effectiveTemplates>,
  ],
})

function effectiveJson({
  effectivePromptTemplates,
}: EffectivePromptTemplatesQuery): z.output<typeof effectiveTemplates> {
  const entries = effectivePromptTemplates.map(({ templateKey, source, content, template }) => {
    const name = source.toLowerCase() as (typeof sources)[number]
    const shown = template ? templateJson(template) : { template_key: templateKey, content }
    return [templateKey, { template: shown, source: name, source_kind: kinds[name] }] as const
  })
  return { templates: Object.fromEntries(entries) }
}

const model = ({ params }: Pick<RouteInput, 'params'>) => params.model ?? ''
const key = ({ params }: Pick<RouteInput, 'params'>) => params.template_key ?? ''

/** Where the five actions are: ruling R19 has two spellings of each. */
interface Paths {
  readonly list: string
  readonly assign: string
  readonly effective: string
  readonly update: string
  readonly unassign: string
}

const root = '/v1/admin/models'

/** The effective templates go before what takes the rest of a path: a model's id may have slashes in it. */
function routesAt(paths: Paths, operationId: (name: string) => string): Route[] {
  return [
    route({
      method: 'get',
      path: paths.effective,
      operationId: operationId('getEffectivePromptTemplates'),
      summary: 'Read which text holds for every key where a model is asked',
      description,
      tag,
      operation: EffectivePromptTemplatesDocument,
      variables: (input) => ({ modelId: model(input) }),
      present: effectiveJson,
      response: effective,
      failures: ['admin_required', 'model_not_found'],
    }),
    route({
      method: 'get',
      path: paths.list,
      operationId: operationId('listModelPromptTemplates'),
      summary: 'List the prompt templates that were assigned to a model',
      description,
      tag,
      operation: ModelPromptTemplatesDocument,
      variables: (input) => ({ modelId: model(input) }),
      present: ({ modelPromptTemplates: all }) => ({
        data: all.map(assignmentJson),
        total: all.length,
        page: 1 as const,
        limit: all.length,
      }),
      response: assignmentList,
      failures: ['admin_required', 'model_not_found'],
    }),
    route({
      method: 'post',
      path: paths.assign,
      operationId: operationId('assignPromptTemplate'),
      summary: 'Let a prompt template stand in for a key where a model is asked',
      description: `Answers 200 where it replaces another. ${description}`,
      tag,
      status: 201,
      otherStatus: 200,
      hasOtherStatus: ({ assignPromptTemplate: { isNew } }) => !isNew,
      body: assignBody,
      examples: {
        house_style: { template_key: 'code_assistant', prompt_template_id: exampleTemplateId },
      },
      failures: ['admin_required', 'model_not_found', 'not_found'],
      operation: AssignPromptTemplateDocument,
      variables: (input) => {
        const { template_key, prompt_template_id, priority, is_active } = input.body
        return {
          input: {
            modelId: model(input),
            templateKey: template_key,
            templateId: prompt_template_id,
            priority,
            isActive: is_active,
          },
        }
      },
      present: ({ assignPromptTemplate: { assignment } }, { context }) =>
        dual(assignmentJson(assignment), context.requestId),
      response: dualOf(assignmentResource),
    }),
    route({
      method: 'patch',
      path: paths.update,
      operationId: operationId('updateModelPromptTemplate'),
      summary: 'Change which prompt template stands in for a key',
      description,
      tag,
      body: updateBody,
      examples: { off: { is_active: false } },
      failures: ['admin_required'],
      operation: UpdateModelPromptTemplateDocument,
      variables: (input) => {
        const { prompt_template_id, priority, is_active } = input.body
        return {
          input: {
            modelId: model(input),
            templateKey: key(input),
            templateId: prompt_template_id,
            priority,
            isActive: is_active,
          },
        }
      },
      present: ({ updateModelPromptTemplate }, { context }) =>
        dual(assignmentJson(updateModelPromptTemplate), context.requestId),
      response: dualOf(assignmentResource),
    }),
    route({
      method: 'delete',
      path: paths.unassign,
      operationId: operationId('unassignPromptTemplate'),
      summary: 'Take a prompt template back from a model',
      description,
      tag,
      status: 204,
      failures: ['admin_required'],
      operation: UnassignPromptTemplateDocument,
      variables: (input) => ({ modelId: model(input), templateKey: key(input) }),
      present: () => undefined,
    }),
  ]
}

/** Contract 2.10, the assignments. */
export const modelPromptRoutes: readonly Route[] = [
  ...routesAt(
    {
      list: `${root}/prompt-templates/list/*model`,
      assign: `${root}/prompt-templates/assign/*model`,
      effective: `${root}/prompt-templates/effective/*model`,
      update: `${root}/prompt-templates/update/:template_key/*model`,
      unassign: `${root}/prompt-templates/unassign/:template_key/*model`,
    },
    (name) => name,
  ),
  ...routesAt(
    {
      list: `${root}/catalog-prompt-templates/*model`,
      assign: `${root}/catalog-prompt-templates/*model`,
      effective: `${root}/catalog-prompt-templates/*model/effective`,
      update: `${root}/catalog-prompt-templates/*model/:template_key`,
      unassign: `${root}/catalog-prompt-templates/*model/:template_key`,
    },
    (name) => `${name}OfCatalog`,
  ),
]
