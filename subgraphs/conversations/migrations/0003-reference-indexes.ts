import type { Migration } from '../../../platform/db.ts'

/**
 * Deleting a branch looks for conversations and branches that point at it: without these indexes each time in whole tables.
 * A turn is a short-lived note beside its conversation, and goes with it: its pointers to branch and item are not checked
 * row by row, which would need two more indexes on the way of every stored turn. Who deletes branches deletes their turns.
 */
export const referenceIndexes: Migration = {
  name: '0003_reference_indexes',
  sql: `
    create index conversation_of_active_branch on conversations.conversation (active_branch_key);
    create index branch_of_parent on conversations.branch (parent_key) where parent_key is not null;
    alter table conversations.turn drop constraint turn_branch_key_fkey;
    alter table conversations.turn drop constraint turn_item_key_fkey;
  `,
}
