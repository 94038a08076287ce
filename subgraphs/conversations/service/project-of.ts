import { AppError } from '../../../platform/errors.ts'
import { assertIdShape } from '../../../platform/ids.ts'
import type { OwnProject } from '../own-project.ts'

/** What a conversation keeps of its project (contract 3.5). */
export interface ProjectColumns {
  readonly projectId: string | null
  readonly instructionVersion: number | null
  /** The instruction that is pinned; empty: none; null: the project's present one counts. */
  readonly instructionSnapshot: string | null
}

type FindProject = (id: string) => Promise<OwnProject | null>

/**
 * What a conversation keeps of a project that it is put into; null or an empty id is none.
 * @throws AppError `invalid_id`, `project_not_found` naming `project_id`; `invalid_parameter` naming `pin_instruction` where there is nothing to pin
 */
export async function projectColumns(
  find: FindProject,
  id: string | null | undefined,
  pin: boolean | null | undefined,
): Promise<ProjectColumns> {
  if (id == null || id === '') {
    if (pin) throw new AppError('invalid_parameter', nothingToPin, { param: 'pin_instruction' })
    return { projectId: null, instructionVersion: null, instructionSnapshot: null }
  }
  assertIdShape('project', id, 'project_id')
  const project = await find(id)
  if (!project) throw new AppError('project_not_found', 'There is no such project.', { param: 'project_id' })
  return {
    projectId: id,
    instructionVersion: project.instructionVersion,
    instructionSnapshot: pin ? (project.instruction ?? '') : null,
  }
}

/** What changes where a conversation stays in its project. @throws AppError `invalid_parameter` naming `pin_instruction` */
export async function pinnedColumns(
  find: FindProject,
  projectId: string | null,
  pin: boolean,
): Promise<Partial<ProjectColumns>> {
  if (!pin) return { instructionSnapshot: null }
  const project = projectId === null ? null : await find(projectId)
  if (!project) throw new AppError('invalid_parameter', nothingToPin, { param: 'pin_instruction' })
  return {
    instructionVersion: project.instructionVersion,
    instructionSnapshot: project.instruction ?? '',
  }
}

const nothingToPin = 'Only a conversation in a project has an instruction to pin.'
