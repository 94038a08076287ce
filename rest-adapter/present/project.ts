import { z } from 'zod'
import type { ProjectFieldsFragment } from '../operations.generated.ts'
import { optionalUnixSeconds, unixSeconds } from '../shapes.ts'

const projectFields = z.object({
  id: z.string(),
  object: z.literal('project'),
  name: z.string(),
  instruction: z.string().nullable(),
  description: z.string().nullable(),
  is_favorite: z.boolean(),
  is_archived: z.boolean(),
  archived_at: z.number().int().nullable(),
  created_at: z.number().int(),
  updated_at: z.number().int(),
})

export const exampleProject: z.output<typeof projectFields> = {
  id: 'proj_h3v8t0r5e2y6u1i9',
  object: 'project',
  name: 'Cookbook',
  instruction: 'Answer with recipes only, in metric units.',
  description: null,
  is_favorite: true,
  is_archived: false,
  archived_at: null,
  created_at: 1767225600,
  updated_at: 1767225600,
}

/** Contract 3.5: a project on the wire. */
export const projectResource = projectFields.meta({ id: 'Project', examples: [exampleProject] })

export function projectJson(project: ProjectFieldsFragment): z.output<typeof projectResource> {
  return {
    id: project.id,
    object: 'project',
    name: project.name,
    instruction: project.instruction,
    description: project.description,
    is_favorite: project.isFavorite,
    is_archived: project.isArchived,
    archived_at: optionalUnixSeconds(project.archivedAt),
    created_at: unixSeconds(project.createdAt),
    updated_at: unixSeconds(project.updatedAt),
  }
}
