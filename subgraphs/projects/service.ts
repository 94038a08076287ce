import { type Actor, requireActor } from '../../platform/actor.ts'
import { AppError } from '../../platform/errors.ts'
import { hasIdShape } from '../../platform/ids.ts'
import {
  type Connection,
  invalidCursor,
  type PageArguments,
  toConnection,
  toPage,
} from '../../platform/pagination.ts'
import { optionalText, requiredText } from '../../platform/text.ts'
import type { Project } from './entities.ts'
import type { CreateProjectInput, UpdateProjectInput } from './schema.generated.ts'
import type { ProjectRow, ProjectSource } from './sources.ts'

const maxNameLength = 120
const maxInstructionLength = 32_768

/** The rules of projects. Everything acts for `actor`: another owner's project does not exist for it. */
export function projectService(actor: Actor | null, projects: ProjectSource) {
  const owner = () => requireActor(actor).id
  return {
    byId: async (id: string): Promise<ProjectRow | null> =>
      hasIdShape('project', id) ? projects.byId(owner(), id) : null,

    async page(args: PageArguments): Promise<Connection<Project>> {
      const page = toPage(args)
      if (page.after !== null && !hasIdShape('project', page.after)) throw invalidCursor(page.after)
      return toConnection(await projects.page(owner(), page), page, (project) => project.publicId)
    },

    count: (): Promise<number> => projects.count(owner()),

    /** @throws AppError `already_exists` when the actor has a live project of that name (contract 3.5). */
    async create({ name, instruction, description, isFavorite }: CreateProjectInput): Promise<Project> {
      return projects.insert(owner(), {
        name: projectName(name),
        instruction: projectInstruction(instruction),
        description: optionalText(description, { param: 'description', max: maxInstructionLength }),
        isFavorite: isFavorite ?? false,
        archivedAt: null,
      })
    },

    /** @throws AppError `project_not_found`, `already_exists` */
    async update({
      id,
      name,
      instruction,
      description,
      isFavorite,
      isArchived,
    }: UpdateProjectInput): Promise<Project> {
      if (!hasIdShape('project', id)) notFound()
      const changed = await projects.update(owner(), id, {
        ...(name == null ? {} : { name: projectName(name) }),
        ...(instruction === undefined ? {} : { instruction: projectInstruction(instruction) }),
        ...(description === undefined
          ? {}
          : { description: optionalText(description, { param: 'description', max: maxInstructionLength }) }),
        ...(isFavorite == null ? {} : { isFavorite }),
        ...(isArchived == null ? {} : { archivedAt: isArchived ? new Date() : null }),
      })
      return changed ?? notFound()
    },

    /** Soft delete. Conversations stay and are detached; the name becomes free again. @throws AppError `project_not_found` */
    async remove(id: string): Promise<{ id: string }> {
      const deleted = hasIdShape('project', id) && (await projects.markDeleted(owner(), id))
      return deleted ? { id } : notFound()
    },
  }
}

/** The service of one request. */
export type ProjectService = ReturnType<typeof projectService>

function projectName(name: string): string {
  return requiredText(name.trim(), { param: 'name', max: maxNameLength, singleLine: true })
}

function projectInstruction(instruction: string | null | undefined): string | null {
  return optionalText(instruction, { param: 'instruction', max: maxInstructionLength })
}

function notFound(): never {
  throw new AppError('project_not_found', 'There is no such project.')
}
