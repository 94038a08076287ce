import type { Migration } from '../../../platform/db.ts'

/**
 * Branches that are forked, and what stands beside an item or a conversation since then.
 *
 * The caller of the functions holds the conversation's row. Positions of a branch are 1 to its `item_count`, without gaps.
 *
 * - `item_place`: where an item stands on the given branch; on the branch of the given id where that one does not have it.
 *   Nulls where the conversation has no such item.
 * - `fork_branch`: a new branch with the items of `source` up to and including `up_to` (null: all), but for the one at
 *   `omitted` (null: none). Copies have new ids and share their content.
 * - `fork_to_main`: the same as the new `MAIN`, which becomes active. The former one keeps its key and its ids under
 *   `MAIN_<YYYYMMDDHHMMSS>` in UTC, with `_2` and on where two fall into one second (contract 3.4). Answers in progress on it
 *   go on in the new one as far as they stand there.
 * - `fork_point`: where a branch is cut for another answer: after the user's message that the item is, or that went before
 *   the answer that it is; before that message where it is to be replaced. Refusals: `item_not_found`,
 *   `item_unsuitable`, which it is when a message is to be replaced that no user wrote, or no user has spoken before.
 */
export const forks: Migration = {
  name: '0004_forks',
  sql: `
    alter table conversations.item add column rating text;
    -- of all that is there nothing has one: nobody has to read it all while the table is locked
    alter table conversations.item add constraint item_rating_check check (rating in ('like', 'unlike')) not valid;
    alter table conversations.item add column rated_at timestamptz(3);
    alter table conversations.item add column rating_comment text;
    alter table conversations.conversation add column instruction_version integer;
    alter table conversations.conversation add column instruction_snapshot text;

    create function conversations.item_place(
      of_conversation bigint, preferred_branch bigint, given_id text,
      out item_key bigint, out branch_key bigint, out "position" integer
    ) language plpgsql stable as $function$
    declare
      preferred_position integer;
    begin
      select given.item_key, given.branch_key, given.position into item_key, branch_key, "position"
      from conversations.branch_item given where given.public_id = given_id and given.deleted_at is null;
      if not exists (
        select from conversations.branch b
        where b.key = item_place.branch_key and b.conversation_key = of_conversation
      ) then
        item_key := null;
        branch_key := null;
        "position" := null;
        return;
      end if;
      select here.position into preferred_position from conversations.branch_item here
      where here.item_key = item_place.item_key and here.branch_key = preferred_branch;
      if preferred_position is not null then
        branch_key := preferred_branch;
        "position" := preferred_position;
      end if;
    end
    $function$;

    create function conversations.fork_branch(
      source_key bigint, up_to integer, omitted integer, new_name text, new_description text, from_item text
    ) returns conversations.branch language plpgsql as $function$
    declare
      source conversations.branch;
      fork conversations.branch;
      last_position integer;
    begin
      select b.* into source from conversations.branch b where b.key = source_key;
      last_position := coalesce(up_to, source.item_count);
      insert into conversations.branch as b (
        conversation_key, name, description, item_count, parent_key, forked_from_item_id, forked_at
      )
      values (
        source.conversation_key, new_name, new_description, last_position - (omitted is not null)::integer, source.key,
        from_item, now()
      )
      returning b.* into fork;
      insert into conversations.branch_item (branch_key, position, public_id, item_key)
      select fork.key, bi.position - coalesce((bi.position > omitted)::integer, 0),
        'msg_' || left(translate(gen_random_uuid()::text, '-', ''), 24), bi.item_key
      from conversations.branch_item bi
      where bi.branch_key = source.key and bi.position <= last_position and bi.position is distinct from omitted;
      return fork;
    end
    $function$;

    create function conversations.fork_to_main(
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
      update conversations.conversation c set active_branch_key = main.key where c.key = of_conversation;
      update conversations.turn t set branch_key = main.key
      where t.conversation_key = of_conversation and t.branch_key = former and t.finished_at is null
        and exists (
          select from conversations.branch_item bi where bi.item_key = t.item_key and bi.branch_key = main.key
        );
    end
    $function$;

    create function conversations.fork_point(
      of_conversation bigint, active_branch bigint, given_id text, replaces boolean,
      out refusal text, out branch_key bigint, out up_to integer, out question_key bigint
    ) language plpgsql stable as $function$
    declare
      given_key bigint;
      given_role text;
    begin
      select place.item_key, place.branch_key, place.position into given_key, branch_key, up_to
      from conversations.item_place(of_conversation, active_branch, given_id) place;
      if given_key is null then
        refusal := 'item_not_found';
        return;
      end if;
      select i.role into given_role from conversations.item i where i.key = given_key and i.type = 'message';
      if given_role = 'user' then
        question_key := given_key;
      elsif given_role = 'assistant' and not replaces then
        select before.item_key, before.position into question_key, up_to
        from conversations.branch_item before
        cross join lateral (select i.type, i.role from conversations.item i where i.key = before.item_key limit 1) said
        where before.branch_key = fork_point.branch_key and before.position < fork_point.up_to
          and said.type = 'message' and said.role = 'user'
        order by before.position desc limit 1;
      end if;
      if question_key is null then
        refusal := 'item_unsuitable';
        return;
      end if;
      up_to := up_to - replaces::integer;
    end
    $function$;
  `,
}
