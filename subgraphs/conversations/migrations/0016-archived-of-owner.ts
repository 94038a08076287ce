import type { Migration } from '../../../platform/db.ts'

/** The few that an account has put away are listed without a look at all others of its own. */
export const archivedOfOwner: Migration = {
  name: '0016_archived_of_owner',
  sql: `
    create index conversation_archived_of_owner on conversations.conversation (owner_id, key)
      where deleted_at is null and archived_at is not null;
  `,
}
