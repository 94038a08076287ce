import { defineEntity, p } from '@mikro-orm/postgresql'

const MediaSchema = defineEntity({
  name: 'Media',
  tableName: 'media',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    publicId: p.text(),
    ownerId: p.uuid(),
    storageKey: p.text(),
    mimeType: p.text(),
    bytes: p.integer(),
    sha256: p.blob(),
    width: p.integer(),
    height: p.integer(),
    filename: p.text().nullable(),
    isAlias: p.boolean(),
    createdAt: p.datetime().columnType('timestamptz(3)'),
    retentionUntil: p.datetime().columnType('timestamptz(3)').nullable(),
  },
})

/** A media's row. `key` orders and pages, `publicId` is what the world sees. Written by the functions of the first migration only. */
export class Media extends MediaSchema.class {}
MediaSchema.setClass(Media)
