import type { Migration } from '../../../platform/db.ts'

/**
 * What the index finds is ranked before anybody looks where it stands: for one that a search shows, ten were looked up in four tables.
 *
 * `search_hits` is the whole of a ranking: the conversations in which something was found, best first, up to `wanted`. `nth` is the
 * place in the order, `hits` how many there are in it; where places are missing, nothing of theirs stands on an active branch any more.
 * Of the newest up to `most` are ranked, of those that the index finds up to `older`: each of these is a page to be read from wherever it lies.
 * The last word, which may go on, is looked for as it stands; what it begins, where that gives too little: it takes the index thrice as long.
 * What deletes a conversation takes it out of the index; so few are missing.
 *
 * `search_recent` and `search_candidates` are as 0006 and 0012 have them, but that they tell the keys of what they find, and that
 * what the index finds is looked up only where there is a filter, and that nothing is asked of it where all entries are among the
 * newest. `search_shares` reads the newest entries once for all words, and is spared for one, which they have been searched for.
 */
export const searchHits: Migration = {
  name: '0014_search_hits',
  sql: `
    drop function conversations.search_candidates(
      uuid, tsquery, tsquery, tsquery[], tsquery, boolean, text, text, boolean, integer, integer, integer
    );
    drop function conversations.search_recent(uuid, tsquery, text, text, boolean, integer, integer);

    create function conversations.search_recent(
      owner uuid, query tsquery, project text, only_referrer text, archived boolean, recent integer, most integer
    ) returns table (conversation_key bigint, item_key bigint, said_at timestamptz, vector tsvector)
    language plpgsql stable rows 100
    set enable_seqscan to off set enable_bitmapscan to off set enable_sort to off
    set enable_hashjoin to off set enable_mergejoin to off as $function$
    #variable_conflict use_column
    begin
      return query
      select e.conversation_key, e.item_key, e.said_at, e.vector
      from (
        select newest.* from conversations.search_entry newest where newest.owner_id = owner
        order by newest.said_at desc, newest.conversation_key desc, newest.item_key desc limit recent
      ) e
      cross join lateral (select * from conversations.conversation where key = e.conversation_key offset 0) c
      left join lateral (
        select place.* from (select * from conversations.branch_item where item_key = e.item_key offset 0) place
        where place.branch_key = c.active_branch_key and place.deleted_at is null limit 1
      ) bi on true
      where e.vector @@ query and c.deleted_at is null and (e.item_key = 0 or bi.public_id is not null)
        and (project is null or c.project_id = project) and (only_referrer is null or c.referrer = only_referrer)
        and (archived is null or (c.archived_at is not null) = archived)
      limit most;
    end
    $function$;

    create or replace function conversations.search_shares(owner uuid, queries tsquery[])
    returns float8[] language plpgsql stable
    set enable_seqscan to off set enable_bitmapscan to off set enable_sort to off as $function$
    begin
      return (
        select array_agg(word.share order by word.place) from (
          select q.place, avg((e.vector @@ q.query)::integer) as share
          from (
            select newest.vector from conversations.search_entry newest where newest.owner_id = owner
            order by newest.said_at desc, newest.conversation_key desc, newest.item_key desc limit 2000
          ) e
          cross join unnest(queries) with ordinality as q (query, place)
          group by q.place
        ) word
      );
    end
    $function$;

    create function conversations.search_older(
      owner uuid, query tsquery, index_query tsquery, project text, only_referrer text, archived boolean, reads integer, older integer
    ) returns table (conversation_key bigint, item_key bigint, said_at timestamptz, vector tsvector)
    language plpgsql stable rows 100
    set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $function$
    #variable_conflict use_column
    begin
      if coalesce(project, only_referrer, archived::text) is null then
        return query
        select found.conversation_key, found.item_key, found.said_at, found.vector
        from conversations.search_index(owner, index_query, reads) found
        where found.owner_id = owner and found.vector @@ query
        limit older;
      else
        return query
        select e.conversation_key, e.item_key, e.said_at, e.vector
        from (
          select found.* from conversations.search_index(owner, index_query, reads) found
          where found.owner_id = owner and found.vector @@ query offset 0
        ) e
        cross join lateral (select * from conversations.conversation where key = e.conversation_key offset 0) c
        where (project is null or c.project_id = project) and (only_referrer is null or c.referrer = only_referrer)
          and (archived is null or (c.archived_at is not null) = archived)
        limit older;
      end if;
    end
    $function$;

    create function conversations.search_candidates(
      owner uuid, query tsquery, words tsquery[], prefix tsquery, prefix_whole tsquery, is_choice boolean,
      project text, only_referrer text, archived boolean, recent integer, enough integer, most integer, older integer
    ) returns table (conversation_key bigint, item_key bigint, said_at timestamptz, vector tsvector)
    language plpgsql stable rows 100 set enable_seqscan to off as $function$
    #variable_conflict use_column
    declare
      found_recently integer;
      found_older integer;
      asked tsquery[] := words || case when prefix is null then '{}' else array[prefix] end;
      -- the same with the last word as it stands
      asked_whole tsquery[] := words || case when prefix is null then '{}' else array[prefix_whole] end;
      shares float8[];
      rare_query tsquery;
      rare_whole tsquery;
      is_filtered boolean := coalesce(project, only_referrer, archived::text) is not null;
      -- how many have to be read for one that matches
      reads_each float8 := case when is_filtered then 10 else 1 end;
      reads integer;
      rare constant float8 := 0.005;
    begin
      return query select * from conversations.search_recent(owner, query, project, only_referrer, archived, recent, most);
      get diagnostics found_recently = row_count;
      if found_recently >= enough then
        return;
      end if;
      -- then the newest were all that there are
      if not exists (select from conversations.search_entry e where e.owner_id = owner offset recent) then
        return;
      end if;

      shares := case
        when query = asked[1] and not is_filtered then array[found_recently::float8 / recent]
        else conversations.search_shares(owner, asked)
      end;
      if is_choice then
        if coalesce((select max(share) from unnest(shares) share) > rare, true) then
          return;
        end if;
        rare_query := query;
        rare_whole := query;
      else
        for place in 1 .. cardinality(asked) loop
          if shares[place] <= rare then
            rare_query := coalesce(rare_query && asked[place], asked[place]);
            rare_whole := coalesce(rare_whole && asked_whole[place], asked_whole[place]);
          else
            reads_each := reads_each / shares[place];
          end if;
        end loop;
        if rare_query is null then
          return;
        end if;
      end if;

      reads := least(older * reads_each, case when is_filtered then 10 else 3 end * older);
      return query select * from conversations.search_older(
        owner, query, rare_whole, project, only_referrer, archived, reads, older
      );
      get diagnostics found_older = row_count;
      if rare_whole = rare_query or found_recently + found_older >= enough then
        return;
      end if;
      return query select * from conversations.search_older(
        owner, query, rare_query, project, only_referrer, archived, reads, older
      );
    end
    $function$;

    create function conversations.search_hits(
      owner uuid, query tsquery, words tsquery[], prefix tsquery, prefix_whole tsquery, is_choice boolean,
      project text, only_referrer text, archived boolean, recent integer, enough integer, most integer, older integer,
      fade_seconds float8, shown integer, wanted integer
    ) returns table (conversation_id text, place float8, item_ids text[], nth integer, hits integer)
    language plpgsql stable rows 20
    set enable_seqscan to off set enable_hashjoin to off set enable_mergejoin to off as $function$
    #variable_conflict use_column
    begin
      return query
      with entry as materialized (
        select distinct on (found.conversation_key, found.item_key) found.conversation_key, found.item_key,
          ln(ts_rank_cd(found.vector, query, 1 | 32) + 1e-4) + extract(epoch from found.said_at) / fade_seconds as place
        from conversations.search_candidates(
          owner, query, words, prefix, prefix_whole, is_choice, project, only_referrer, archived, recent, enough, most, older
        ) found
      )
      select c.public_id, standing.place, standing.item_ids, hit.nth::integer, hit.hits::integer
      from (
        select e.conversation_key, row_number() over (order by max(e.place) desc, e.conversation_key desc) as nth,
          count(*) over () as hits, array_agg(e.item_key) as item_keys, array_agg(e.place) as places
        from entry e group by e.conversation_key
        order by nth offset 0
      ) hit
      cross join lateral (select * from conversations.conversation where key = hit.conversation_key offset 0) c
      cross join lateral (
        select max(e.place) as place,
          (array_agg(e.item_id order by e.place desc, e.item_id) filter (where e.item_id is not null))[1:shown] as item_ids
        from (
          select said.place, bi.public_id as item_id
          from unnest(hit.item_keys, hit.places) as said (item_key, place)
          left join lateral (
            select place.* from (select * from conversations.branch_item where item_key = said.item_key offset 0) place
            where place.branch_key = c.active_branch_key and place.deleted_at is null limit 1
          ) bi on true
          where said.item_key = 0 or bi.public_id is not null
        ) e
      ) standing
      where c.deleted_at is null and standing.place is not null
      order by hit.nth limit wanted;
    end
    $function$;
  `,
}
