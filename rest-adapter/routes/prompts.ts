import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import {
  ActivePromptTemplateDocument,
  CreatePromptTemplateDocument,
  DeletePromptTemplateDocument,
  DuplicatePromptTemplateDocument,
  PromptTemplateDocument,
  type PromptTemplateFieldsFragment,
  PromptTemplatesDocument,
  UpdatePromptTemplateDocument,
} from '../operations.generated.ts'
import { templateJson, templateResource } from '../present/prompt-template.ts'
import { type Route, type RouteInput, route } from '../route.ts'
import { adminListOf, dual, dualOf, pageArguments, pageQuery, pageSize } from '../shapes.ts'

const tag = 'Prompt templates'
const administrators = 'For administrators.'

const truth = z.enum(['true', 'false']).optional()

const listQuery = pageQuery.pick({ limit: true, offset: true }).extend({
  category: z.string().optional().describe('Only those of this category.'),
  is_active: truth.describe('Only those that are used, or are not.'),
  is_system: truth.describe('Only those that came with the platform, or did not.'),
  search: z.string().optional().describe('Only those whose name, description or key has this in it.'),
})

const changes = {
  description: z.string().nullish().describe('What it is for.'),
  variables: z.array(z.string()).nullish().describe('What `{{…}}` may stand for in the text.'),
  metadata: z.record(z.string(), z.unknown()).nullish().describe('Notes of your own.'),
}

const createBody = z.object({
  name: z.string().describe('1 to 255 characters.'),
  category: z.string().describe('1 to 100 characters: orchestration, system, tool, reasoning or your own.'),
  template_key: z.string().describe('1 to 100 letters, digits, `_` and `-`; no other template may have it.'),
  content: z.string().describe('1 to 100,000 characters.'),
  ...changes,
})

const updateBody = z.object({
  name: z.string().nullish(),
  category: z.string().nullish(),
  content: z.string().nullish(),
  is_active: z.boolean().nullish().describe('Whether it is used.'),
  ...changes,
})

const path = '/v1/admin/prompt-templates'

/** Contract 2.10. */
export const promptRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/prompt-templates/:template_key',
    summary: 'Read the active prompt template of a key',
    tag,
    operation: ActivePromptTemplateDocument,
    variables: ({ params }) => ({ templateKey: params.template_key ?? '' }),
    present: ({ activePromptTemplate }, { context }) =>
      dual(templateJson(present(activePromptTemplate)), context.requestId),
    response: dualOf(templateResource),
  }),
  route({
    method: 'get',
    path,
    summary: 'List the prompt templates',
    description: administrators,
    tag,
    query: listQuery,
    operation: PromptTemplatesDocument,
    variables: ({ query: { category, is_active, is_system, search, ...page } }) => ({
      first: pageArguments(page).first ?? null,
      offset: pageArguments(page).offset ?? null,
      category: category ?? null,
      isActive: is_active === undefined ? null : is_active === 'true',
      isSystem: is_system === undefined ? null : is_system === 'true',
      search: search ?? null,
    }),
    present: ({ promptTemplates: { nodes, totalCount } }, { query }) => ({
      data: nodes.map(templateJson),
      total: totalCount,
      limit: pageSize(query),
    }),
    response: adminListOf(templateResource),
    failures: ['admin_required'],
  }),
  route({
    method: 'post',
    path,
    summary: 'Make a prompt template',
    description: administrators,
    tag,
    status: 201,
    body: createBody,
    examples: {
      house_style: {
        name: 'House style',
        category: 'system',
        template_key: 'house_style',
        content: 'Write TypeScript without semicolons.',
      },
    },
    failures: ['admin_required', 'already_exists'],
    operation: CreatePromptTemplateDocument,
    variables: ({ body: { template_key, ...rest } }) => ({ input: { ...rest, templateKey: template_key } }),
    present: ({ createPromptTemplate }, { context }) =>
      dual(templateJson(createPromptTemplate), context.requestId),
    response: dualOf(templateResource),
  }),
  route({
    method: 'get',
    path: `${path}/:template_id`,
    summary: 'Read a prompt template, active or not',
    description: administrators,
    tag,
    operation: PromptTemplateDocument,
    variables: (input) => ({ id: templateId(input) }),
    present: ({ promptTemplate }, { context }) =>
      dual(templateJson(present(promptTemplate)), context.requestId),
    response: dualOf(templateResource),
    failures: ['admin_required'],
  }),
  route({
    method: 'patch',
    path: `${path}/:template_id`,
    summary: 'Change a prompt template',
    description: `Counts its version up. ${administrators}`,
    tag,
    body: updateBody,
    examples: { text: { content: 'Write TypeScript with semicolons.' }, off: { is_active: false } },
    failures: ['admin_required'],
    operation: UpdatePromptTemplateDocument,
    variables: (input) => {
      const { is_active, ...rest } = input.body
      return { input: { ...rest, id: templateId(input), isActive: is_active } }
    },
    present: ({ updatePromptTemplate }, { context }) =>
      dual(templateJson(updatePromptTemplate), context.requestId),
    response: dualOf(templateResource),
  }),
  route({
    method: 'delete',
    path: `${path}/:template_id`,
    summary: 'Delete a prompt template',
    description: `Those that came with the platform stay. ${administrators}`,
    tag,
    status: 204,
    failures: ['admin_required', 'permission_denied'],
    operation: DeletePromptTemplateDocument,
    variables: (input) => ({ id: templateId(input) }),
    present: () => undefined,
  }),
  route({
    method: 'post',
    path: `${path}/:template_id/duplicate`,
    summary: 'Copy a prompt template under a key of its own',
    description: administrators,
    tag,
    status: 201,
    body: z.object({ new_name: z.string().nullish().describe('Up to 200 characters.') }),
    bodyOptional: true,
    examples: { named: { new_name: 'House style, stricter' } },
    failures: ['admin_required'],
    operation: DuplicatePromptTemplateDocument,
    variables: (input) => ({ id: templateId(input), newName: input.body.new_name ?? null }),
    present: ({ duplicatePromptTemplate }, { context }) =>
      dual(templateJson(duplicatePromptTemplate), context.requestId),
    response: dualOf(templateResource),
  }),
]

function templateId({ params }: Pick<RouteInput, 'params'>): string {
  return params.template_id ?? ''
}

function present(template: PromptTemplateFieldsFragment | null): PromptTemplateFieldsFragment {
  if (template) return template
  throw new AppError('not_found', 'There is no such prompt template.')
}
