import { LockMode } from '@mikro-orm/postgresql'
import DataLoader from 'dataloader'
import type { EntityManager, SubgraphDatabase } from '../../platform/db.ts'
import { AppError } from '../../platform/errors.ts'
import { newId } from '../../platform/ids.ts'
import type { OwnedRows } from '../../platform/owned-rows.ts'
import { invalidCursor, type Page } from '../../platform/pagination.ts'
import { isUniqueViolation } from '../../platform/postgres-errors.ts'
import { projectDeletionsChannel } from '../../platform/project-deletions.ts'
import { Project } from './entities.ts'

/** A column of a new or changed project. */
export type ProjectFields = Pick<
  Project,
  'name' | 'instruction' | 'description' | 'isFavorite' | 'archivedAt'
>

/** A live project as it is read; moments are PostgreSQL's text, or what the ORM makes of it. */
export interface ProjectRow extends Omit<Project, 'archivedAt' | 'createdAt' | 'updatedAt' | 'deletedAt'> {
  readonly archivedAt?: Date | string | null
  readonly createdAt: Date | string
  readonly updatedAt: Date | string
}

/** The SQL of projects. Every statement is narrowed to one owner; what others own does not exist here. */
export interface ProjectSource {
  byId(ownerId: string, id: string): Promise<ProjectRow | null>
  /** Up to `limit + 1` projects. @throws AppError `invalid_cursor` */
  page(ownerId: string, page: Page): Promise<Project[]>
  count(ownerId: string): Promise<number>
  insert(ownerId: string, fields: ProjectFields): Promise<Project>
  /** Null when the owner has no such project. One that is archived already keeps its `archivedAt`. */
  update(ownerId: string, id: string, fields: Partial<ProjectFields>): Promise<Project | null>
  markDeleted(ownerId: string, id: string): Promise<boolean>
  clearLoaders(): void
}

/** A source for one request. */
export function projectSource(database: SubgraphDatabase, byId: OwnedRows<ProjectRow>): ProjectSource {
  const loaders = new Map<string, DataLoader<string, ProjectRow | null>>()
  const loaderOf = (ownerId: string) => {
    const known = loaders.get(ownerId)
    if (known) return known
    const fresh = new DataLoader<string, ProjectRow | null>((ids) => byId.read(ownerId, ids))
    loaders.set(ownerId, fresh)
    return fresh
  }

  return {
    byId: (ownerId, id) => loaderOf(ownerId).load(id),
    clearLoaders: () => loaders.clear(),

    async page(ownerId, { limit, after, offset, descending }) {
      const em = database.fork()
      const query = em
        .createQueryBuilder(Project, 'p')
        .where({ ownerId, deletedAt: null })
        .orderBy({ key: descending ? 'desc' : 'asc' })
        .limit(limit + 1)
        .offset(offset)
      if (after !== null) {
        const comparison = descending ? '<' : '>'
        query.andWhere(
          `p.key ${comparison} (select c.key from projects.project c where c.public_id = ? and c.owner_id = ?)`,
          [after, ownerId],
        )
      }
      const rows = await query.getResultList()
      if (rows.length === 0 && after !== null) await assertCursor(em, ownerId, after)
      return rows
    },

    count: (ownerId) => database.fork().count(Project, { ownerId, deletedAt: null }),

    async insert(ownerId, fields) {
      const now = new Date()
      const em = database.fork()
      const project = em.create(Project, {
        ...fields,
        ownerId,
        instructionVersion: 1,
        publicId: newId('project'),
        createdAt: now,
        updatedAt: now,
        deletedAt: null,
      })
      await refusingDuplicates(() => em.persist(project).flush())
      return project
    },

    async update(ownerId, id, fields) {
      return refusingDuplicates(() =>
        database.fork().transactional(async (em) => {
          const project = await em.findOne(
            Project,
            { ownerId, publicId: id, deletedAt: null },
            { lockMode: LockMode.PESSIMISTIC_WRITE },
          )
          if (!project) return null
          const archivedAt = fields.archivedAt ? (project.archivedAt ?? fields.archivedAt) : fields.archivedAt
          const changes = fields.instruction !== undefined && fields.instruction !== project.instruction
          em.assign(project, {
            ...fields,
            ...(changes ? { instructionVersion: project.instructionVersion + 1 } : {}),
            ...(archivedAt === undefined ? {} : { archivedAt }),
            updatedAt: new Date(),
          })
          return project
        }),
      )
    },

    async markDeleted(ownerId, id) {
      return database.fork().transactional(async (em) => {
        const living = { ownerId, publicId: id, deletedAt: null }
        const changed = await em.nativeUpdate(Project, living, { deletedAt: new Date() })
        if (changed === 1) await em.execute('select pg_notify(?, ?)', [projectDeletionsChannel, ownerId])
        return changed === 1
      })
    },
  }
}

/** Removes all projects of a user, deleted or not. */
export async function eraseOwner(database: SubgraphDatabase, ownerId: string): Promise<void> {
  const em = database.fork()
  // each has an index of its own
  await em.nativeDelete(Project, { ownerId, deletedAt: null })
  await em.nativeDelete(Project, { ownerId, deletedAt: { $ne: null } })
}

/** An empty page is right at the end of a list, and wrong for a cursor that names nothing. A deleted row still counts. */
async function assertCursor(em: EntityManager, ownerId: string, after: string): Promise<void> {
  if ((await em.count(Project, { ownerId, publicId: after })) === 0) throw invalidCursor(after)
}

async function refusingDuplicates<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isUniqueViolation(error, 'project_name_of_owner')) throw error
    throw new AppError('already_exists', 'You have a project of that name already.', {
      param: 'name',
      cause: error,
    })
  }
}
