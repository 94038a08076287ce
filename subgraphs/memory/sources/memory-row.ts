import type { MemoryItem } from '../entities.ts'

/** A memory as it is read; moments are PostgreSQL's text, or what the ORM makes of it. */
export interface MemoryRow extends Omit<MemoryItem, 'createdAt' | 'updatedAt'> {
  readonly createdAt: Date | string
  readonly updatedAt: Date | string
}

/** The columns of a `MemoryRow`, of the table that goes by `alias` in a statement. */
export const memoryColumns = (alias: string) =>
  `${alias}.key, ${alias}.public_id as "publicId", ${alias}.owner_id as "ownerId", ${alias}.scope,
    ${alias}.project_id as "projectId", ${alias}.kind, ${alias}.topic, ${alias}.text, ${alias}.importance, ${alias}.confidence,
    ${alias}.conversation_id as "conversationId", ${alias}.revision, ${alias}.created_at as "createdAt",
    ${alias}.updated_at as "updatedAt"`
