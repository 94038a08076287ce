import type { Migration } from '../../../platform/db.ts'

/**
 * `store_turn` as 0005 has it, but that a turn forks no conversation that has `max_branches` branches already (null: no
 * limit): the refusal is `branches_full`. They are counted under the conversation's lock, so that the limit holds. A turn that is
 * stored already is told so either way.
 */
export const limitedForks: Migration = {
  name: '0011_limited_forks',
  sql: `
    drop function conversations.store_turn(
      uuid, text, boolean, text, text, text, text, json, integer, text, boolean, integer, integer, boolean, text, boolean
    );

    create function conversations.store_turn(
      owner uuid, completion text, is_new boolean, conversation_id text, branch_name text, referrer text, first_title text,
      items json, asked integer, status text, store_reasoning boolean, lease_seconds integer, max_items integer, waits boolean,
      fork_item text default null, replaces boolean default false, max_branches integer default null
    ) returns table (
      refusal text, question_known boolean, conversation conversations.conversation, branch conversations.branch,
      question_id text, backup text
    )
    language plpgsql rows 1 as $function$
    #variable_conflict use_variable
    declare
      added integer := json_array_length(items);
      known integer := 0;
      last_question text;
      point record;
      forked record;
    begin
      if is_new then
        refusal := case
          when branch_name <> 'MAIN' then 'branch_not_found'
          when added > max_items then 'conversation_full'
        end;
        if refusal is null then
          with main as (
            select nextval(pg_get_serial_sequence('conversations.branch', 'key')) as key
          ), made as (
            insert into conversations.conversation (public_id, owner_id, referrer, active_branch_key)
            select conversation_id, owner, referrer, main.key from main
            returning *
          ), first_branch as (
            insert into conversations.branch (key, conversation_key, name)
            select main.key, made.key, 'MAIN' from main, made
          )
          select made.* into conversation from made;
        end if;
      else
        if waits then
          select c.* into conversation from conversations.conversation c
          where c.key = (select k.key from conversations.conversation k where k.public_id = conversation_id)
            and c.owner_id = owner and c.deleted_at is null
          for no key update;
        else
          select c.* into conversation from conversations.conversation c
          where c.key = (select k.key from conversations.conversation k where k.public_id = conversation_id)
            and c.owner_id = owner and c.deleted_at is null
          for no key update skip locked;
        end if;
        if conversation.key is null then
          refusal := case when waits then 'conversation_not_found' else 'conversation_busy' end;
        end if;
      end if;
      if refusal is not null then
        return next;
        return;
      end if;

      if fork_item is not null then
        select p.* into point
        from conversations.fork_point(conversation.key, conversation.active_branch_key, fork_item, replaces) p;
        refusal := coalesce(point.refusal, case
          when point.up_to + added > max_items then 'conversation_full'
          when (select count(*) from conversations.branch b where b.conversation_key = conversation.key) >= max_branches
            and not exists (select from conversations.turn t where t.completion_id = completion) then 'branches_full'
        end);
        if refusal is not null then
          return next;
          return;
        end if;
        select f.* into forked from conversations.fork_to_main(point.branch_key, point.up_to, null) f;
        branch := forked.main;
        backup := forked.backup;
        if not replaces then
          select bi.public_id into question_id from conversations.branch_item bi
          where bi.branch_key = branch.key and bi.position = branch.item_count;
        end if;
      elsif branch_name is null then
        select b.* into branch from conversations.branch b where b.key = conversation.active_branch_key;
      else
        select b.* into branch from conversations.branch b
        where b.conversation_key = conversation.key and b.name = branch_name;
      end if;
      if branch.key is null then
        refusal := 'branch_not_found';
        return next;
        return;
      end if;

      -- after a regeneration was prepared the branch ends with the very message that is sent again
      if asked = 1 and fork_item is null and branch.item_count > 0 and items -> 0 ->> 'role' = 'user' then
        select i.content::text into last_question from conversations.item i
        where i.role = 'user' and i.key = (
          select bi.item_key from conversations.branch_item bi
          where bi.branch_key = branch.key and bi.position = branch.item_count
        );
        known := coalesce(last_question = items -> 0 ->> 'content', false)::integer;
        added := added - known;
      end if;
      question_known := known = 1;

      -- whoever adds to a branch holds its conversation, so that the count is still what it was
      if branch.item_count + added > max_items then
        refusal := 'conversation_full';
        return next;
        return;
      end if;
      update conversations.branch b set item_count = b.item_count + added, updated_at = now()
      where b.key = branch.key returning b.* into branch;

      with draft as (
        select nextval(pg_get_serial_sequence('conversations.item', 'key')) as key, given.*
        from rows from (json_to_recordset(items) as (
          public_id text, type text, role text, status text, content text, model_id text, call_id text, details text,
          finish_reason text, usage text, incomplete_details text
        )) with ordinality as given (
          public_id, type, role, status, content, model_id, call_id, details, finish_reason, usage, incomplete_details, place
        )
        where given.place > known
      ), stored as (
        insert into conversations.item (
          key, conversation_key, type, role, status, content, model_id, call_id, details, finish_reason, usage,
          incomplete_details, completed_at, incomplete_at
        )
        select d.key, conversation.key, d.type, d.role, d.status, d.content::json, d.model_id, d.call_id,
          d.details::json, d.finish_reason, d.usage::json, d.incomplete_details::json,
          case when d.status = 'completed' then now() end, case when d.status in ('incomplete', 'failed') then now() end
        from draft d
      ), placed as (
        insert into conversations.branch_item (branch_key, position, public_id, item_key)
        select branch.key, branch.item_count - added + d.place - known, d.public_id, d.key from draft d
      )
      insert into conversations.turn (
        completion_id, owner_id, conversation_key, branch_key, item_key, user_item_id, assistant_item_id, status,
        store_reasoning, lease_expires_at, finished_at
      )
      select completion, owner, conversation.key, branch.key, answer.key, coalesce(question.public_id, question_id), answer.public_id, status,
        store_reasoning, case when status = 'in_progress' then now() + make_interval(secs => lease_seconds) end,
        case when status <> 'in_progress' then now() end
      from draft answer left join draft question on question.place = asked
      where answer.place = asked + 1;

      -- what counts as no title: contract 2.4
      update conversations.conversation c
      set updated_at = now(), title = case
        when c.title is null or lower(btrim(c.title)) = 'new conversation' then coalesce(first_title, c.title)
        else c.title
      end
      where c.key = conversation.key returning c.* into conversation;

      return next;
    end
    $function$;
  `,
}
