import type { Migration } from '../../../platform/db.ts'

/**
 * `title_given`: a person chose the title, at creation or later; the platform leaves it alone. Of titles that are there
 * already nobody can tell who chose them, so all of them stay: that is what the column begins with, which rewrites no row while
 * the table is locked.
 * `title_messages`: how many messages the user had sent when a title was last asked for. Whoever writes a number there first
 * makes that title, and no other process does.
 */
export const generatedTitles: Migration = {
  name: '0008_generated_titles',
  sql: `
    alter table conversations.conversation
      add column title_given boolean not null default true, add column title_messages integer;
    alter table conversations.conversation alter column title_given set default false;
    update conversations.conversation set title_given = false
    where title is null or lower(btrim(title)) = 'new conversation';
  `,
}
