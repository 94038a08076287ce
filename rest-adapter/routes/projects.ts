import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { assertIdShape } from '../../platform/ids.ts'
import {
  CreateProjectDocument,
  DeleteProjectDocument,
  ProjectDocument,
  ProjectsDocument,
  UpdateProjectDocument,
} from '../operations.generated.ts'
import { exampleProject, projectJson, projectResource } from '../present/project.ts'
import { type Route, type RouteInput, route } from '../route.ts'
import { deletedOf, dual, dualOf, list, listOf, pageArguments, pageQuery } from '../shapes.ts'

const tag = 'Projects'

const createBody = z.object({
  name: z.string().describe('1 to 120 characters, unique among your projects.'),
  instruction: z.string().nullish().describe('What the model is told first in every conversation.'),
  description: z.string().nullish().describe('A note for people.'),
  is_favorite: z.boolean().nullish(),
})

const updateBody = createBody.partial().extend({ is_archived: z.boolean().nullish() })

function projectId({ params }: RouteInput): string {
  const id = params.project_id ?? ''
  assertIdShape('project', id, 'project_id')
  return id
}

/** Contract 3.5. */
export const projectRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/projects',
    summary: 'Create a project',
    tag,
    status: 201,
    body: createBody,
    examples: {
      cookbook: {
        name: 'Cookbook',
        instruction: 'Answer with recipes only, in metric units.',
        is_favorite: true,
      },
    },
    failures: ['already_exists'],
    aliases: { title: 'name' },
    operation: CreateProjectDocument,
    variables: ({ body: { is_favorite, ...rest } }) => ({ input: { ...rest, isFavorite: is_favorite } }),
    present: ({ createProject }, { context }) => dual(projectJson(createProject), context.requestId),
    response: dualOf(projectResource),
  }),
  route({
    method: 'get',
    path: '/v1/projects',
    summary: 'List your projects',
    tag,
    query: pageQuery,
    operation: ProjectsDocument,
    variables: ({ query }) => pageArguments(query),
    present: ({ projects }, { context }) => list(projects, projectJson, context.requestId),
    response: listOf(projectResource),
  }),
  route({
    method: 'get',
    path: '/v1/projects/:project_id',
    summary: 'Read a project',
    tag,
    operation: ProjectDocument,
    variables: (input) => ({ id: projectId(input) }),
    present: ({ project }, { context }) => {
      if (!project) throw new AppError('project_not_found', 'There is no such project.')
      return dual(projectJson(project), context.requestId)
    },
    response: dualOf(projectResource),
  }),
  route({
    method: 'patch',
    path: '/v1/projects/:project_id',
    summary: 'Change a project',
    tag,
    body: updateBody,
    examples: { rename: { name: 'Kitchen' }, archive: { is_archived: true } },
    failures: ['already_exists'],
    aliases: { title: 'name', archived: 'is_archived' },
    operation: UpdateProjectDocument,
    variables: (input) => {
      const { is_favorite, is_archived, ...rest } = input.body
      return { input: { id: projectId(input), ...rest, isFavorite: is_favorite, isArchived: is_archived } }
    },
    present: ({ updateProject }, { context }) => dual(projectJson(updateProject), context.requestId),
    response: dualOf(projectResource),
  }),
  route({
    method: 'delete',
    path: '/v1/projects/:project_id',
    summary: 'Delete a project',
    tag,
    operation: DeleteProjectDocument,
    variables: (input) => ({ id: projectId(input) }),
    present: ({ deleteProject }) => ({
      id: deleteProject.id,
      object: 'project' as const,
      deleted: true as const,
    }),
    response: deletedOf('project', exampleProject.id),
  }),
]
