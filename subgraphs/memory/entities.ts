import { defineEntity, p } from '@mikro-orm/postgresql'
import type { MemoryScope, ProjectFactKind } from './schema.generated.ts'

const moment = () => p.datetime().columnType('timestamptz(3)')

const MemoryItemSchema = defineEntity({
  name: 'MemoryItem',
  tableName: 'item',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    publicId: p.text(),
    ownerId: p.uuid(),
    scope: p.text().$type<MemoryScope>(),
    projectId: p.text().nullable(),
    kind: p.text().$type<ProjectFactKind>().nullable(),
    topic: p.text(),
    text: p.text(),
    importance: p.smallint(),
    confidence: p.float().nullable(),
    conversationId: p.text().nullable(),
    revision: p.integer(),
    createdAt: moment(),
    updatedAt: moment(),
  },
})

/** A memory's row without its vector. `key` orders and pages, `topic` is what the world knows as its key. */
export class MemoryItem extends MemoryItemSchema.class {}
MemoryItemSchema.setClass(MemoryItem)
