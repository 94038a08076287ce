import { defineEntity, p } from '@mikro-orm/postgresql'

const BranchSchema = defineEntity({
  name: 'Branch',
  tableName: 'branch',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    conversationKey: p.bigint('string'),
    name: p.text(),
    itemCount: p.integer(),
  },
})

/** A branch's row. Its key stays when its name moves on to another. */
export class Branch extends BranchSchema.class {}
BranchSchema.setClass(Branch)

const ConversationSchema = defineEntity({
  name: 'Conversation',
  tableName: 'conversation',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    publicId: p.text(),
    ownerId: p.uuid(),
    title: p.text().nullable(),
    metadata: p.json<Record<string, string>>(),
    referrer: p.text().nullable(),
    projectId: p.text().nullable(),
    instructionVersion: p.integer().nullable(),
    instructionSnapshot: p.text().nullable(),
    activeBranch: () => p.manyToOne(Branch).joinColumn('active_branch_key'),
    archivedAt: p.datetime().columnType('timestamptz(3)').nullable(),
    createdAt: p.datetime().columnType('timestamptz(3)'),
    updatedAt: p.datetime().columnType('timestamptz(3)'),
    deletedAt: p.datetime().columnType('timestamptz(3)').nullable(),
  },
})

/** A conversation's row, always read together with its active branch. */
export class Conversation extends ConversationSchema.class {}
ConversationSchema.setClass(Conversation)

export { BranchSchema, ConversationSchema }
