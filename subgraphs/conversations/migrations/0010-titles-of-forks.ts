import type { Migration } from '../../../platform/db.ts'

/**
 * `fork_to_main` as 0004 has it, but that the new branch has had no title made for it: where its first message, or its
 * fifth, is another than before, so is what the title goes by.
 */
export const titlesOfForks: Migration = {
  name: '0010_titles_of_forks',
  sql: `
    create or replace function conversations.fork_to_main(
      source_key bigint, up_to integer, omitted integer, out main conversations.branch, out backup text
    ) language plpgsql as $function$
    declare
      of_conversation bigint;
      former bigint;
      from_item text;
      stamp text := 'MAIN_' || to_char(now() at time zone 'utc', 'YYYYMMDDHH24MISS');
      attempt integer := 1;
    begin
      select b.conversation_key into of_conversation from conversations.branch b where b.key = source_key;
      backup := stamp;
      while exists (
        select from conversations.branch b where b.conversation_key = of_conversation and b.name = backup
      ) loop
        attempt := attempt + 1;
        backup := stamp || '_' || attempt;
      end loop;
      update conversations.branch b set name = backup, updated_at = now()
      where b.conversation_key = of_conversation and b.name = 'MAIN' returning b.key into former;
      select bi.public_id into from_item from conversations.branch_item bi
      where bi.branch_key = source_key and bi.position = up_to;
      main := conversations.fork_branch(source_key, up_to, omitted, 'MAIN', null, from_item);
      update conversations.conversation c set active_branch_key = main.key, title_messages = null where c.key = of_conversation;
      update conversations.turn t set branch_key = main.key
      where t.conversation_key = of_conversation and t.branch_key = former and t.finished_at is null
        and exists (
          select from conversations.branch_item bi where bi.item_key = t.item_key and bi.branch_key = main.key
        );
    end
    $function$;
  `,
}
