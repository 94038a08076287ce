import type { Migration } from '../../../platform/db.ts'

/**
 * `search_candidates` as 0006 has it, but that the index is asked for rare words alone, and what it finds is held against the whole
 * query: a frequent word's list is as long as half the table, and to intersect it cost more than to read what it would have left
 * out. Of those found so more are read, as some will not match. A choice is asked whole: each of its words is rare.
 */
export const searchByRareWords: Migration = {
  name: '0012_search_by_rare_words',
  sql: `
    create or replace function conversations.search_candidates(
      owner uuid, query tsquery, narrow_query tsquery, words tsquery[], prefix tsquery, is_choice boolean,
      project text, only_referrer text, archived boolean, recent integer, enough integer, most integer
    ) returns table (conversation_key bigint, conversation_id text, item_id text, said_at timestamptz, vector tsvector)
    language plpgsql stable rows 100 set enable_hashjoin to off set enable_mergejoin to off as $function$
    #variable_conflict use_column
    declare
      found_recently integer;
      asked tsquery[] := words || case when prefix is null then '{}' else array[prefix] end;
      shares float8[];
      rare_query tsquery;
      -- how many have to be read for one that matches
      reads_each float8 := case when coalesce(project, only_referrer, archived::text) is null then 1 else 10 end;
      rare constant float8 := 0.005;
    begin
      return query select * from conversations.search_recent(owner, query, project, only_referrer, archived, recent, most);
      get diagnostics found_recently = row_count;
      if found_recently >= enough then
        return;
      end if;

      shares := conversations.search_shares(owner, asked);
      if is_choice then
        if coalesce((select max(share) from unnest(shares) share) > rare, true) then
          return;
        end if;
        rare_query := query;
      else
        for place in 1 .. cardinality(asked) loop
          if shares[place] <= rare then
            rare_query := coalesce(rare_query && asked[place], asked[place]);
          else
            reads_each := reads_each / shares[place];
          end if;
        end loop;
        if rare_query is null then
          return;
        end if;
      end if;

      return query
      select e.conversation_key, c.public_id, bi.public_id, e.said_at, e.vector
      from (
        select found.* from conversations.search_index(owner, rare_query, (most * least(reads_each, 10))::integer) found
        where found.owner_id = owner and found.vector @@ query offset 0
      ) e
      cross join lateral (select * from conversations.conversation where key = e.conversation_key offset 0) c
      left join lateral (
        select place.* from (select * from conversations.branch_item where item_key = e.item_key offset 0) place
        where place.branch_key = c.active_branch_key and place.deleted_at is null limit 1
      ) bi on true
      where c.deleted_at is null and (e.item_key = 0 or bi.public_id is not null)
        and (project is null or c.project_id = project) and (only_referrer is null or c.referrer = only_referrer)
        and (archived is null or (c.archived_at is not null) = archived)
      limit most;
    end
    $function$;
  `,
}
