import { defineEntity, p } from '@mikro-orm/postgresql'

const ProjectSchema = defineEntity({
  name: 'Project',
  tableName: 'project',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    publicId: p.text(),
    ownerId: p.uuid(),
    name: p.text(),
    instruction: p.text().nullable(),
    instructionVersion: p.integer(),
    description: p.text().nullable(),
    isFavorite: p.boolean(),
    archivedAt: p.datetime().columnType('timestamptz(3)').nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)'),
    updatedAt: p.datetime().columnType('timestamptz(3)'),
    deletedAt: p.datetime().columnType('timestamptz(3)').nullable(),
  },
})

/** A project's row. `key` orders and pages, `publicId` is what the world sees. */
export class Project extends ProjectSchema.class {}
ProjectSchema.setClass(Project)
