import type { Migration } from '../../../platform/db.ts'

/** Whoever deletes an account deletes what was only hidden before: without this index that is found by reading all of it. */
export const deletedOfOwner: Migration = {
  name: '0009_deleted_of_owner',
  sql: `
    create index conversation_deleted_of_owner on conversations.conversation (owner_id, key) where deleted_at is not null;
  `,
}
