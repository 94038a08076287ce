import type { Migration } from '../../../platform/db.ts'

/**
 * Full-text search. `search_entry` has a row for each title (`item_key` 0) and each message, `search_pending` says which of
 * them have changed: triggers fill it in the transaction of the change, whoever makes it, and an indexer works it off, for
 * text is taken out of content by Node and would be dear on the way of a stored turn.
 *
 * A vector has the owner as one of its lexemes, with a space before it, which no parsed word can begin with: so that one
 * index of vectors finds an owner's words, without an extension.
 *
 * `version` is the `search_pending.key` that an entry was last written for: changes of one row get rising keys, so that the
 * slower of two indexers overwrites nothing newer.
 *
 * Words are compared without accents where the extension `unaccent` may be had, else with them.
 *
 * `search_candidates` finds what is worth ranking: of the owner's newest `recent` entries those that match, newest first, up to
 * `most`. Where that gives fewer than `enough`, and one of the words is rare, the index finds up to `most` of whatever age, the
 * former once more: a search of nothing but frequent words would have it intersect lists of half the table. Of a choice all
 * words must be rare. How frequent a word is in the account, its newest entries tell. A beginning that is frequent is not
 * looked up: it is compared with what `narrow_query`, the rest, gives. What comes out stands in living conversations and on
 * their active branches.
 *
 * How the rows are found is laid down: the planner knows neither how many entries an owner has nor what will be searched,
 * and takes whole tables for cheap.
 */
export const search: Migration = {
  name: '0006_search',
  sql: `
    create text search configuration conversations.search (copy = pg_catalog.simple);
    do $block$
    declare
      accents text;
    begin
      begin
        create extension if not exists unaccent with schema conversations;
      exception when others then
        raise notice 'search will tell accents apart: %', sqlerrm;
      end;
      select format('%I.%I', n.nspname, d.dictname) into accents
      from pg_extension e
      join pg_depend owned on owned.refobjid = e.oid and owned.classid = 'pg_ts_dict'::regclass
      join pg_ts_dict d on d.oid = owned.objid
      join pg_namespace n on n.oid = d.dictnamespace
      where e.extname = 'unaccent';
      if accents is not null then
        execute format(
          'alter text search configuration conversations.search
           alter mapping for word, hword, hword_part with %s, pg_catalog.simple', accents);
      end if;
    end
    $block$;

    create table conversations.search_entry (
      conversation_key bigint not null references conversations.conversation on delete cascade,
      item_key bigint not null,
      owner_id uuid not null,
      said_at timestamptz(3) not null,
      version bigint not null,
      vector tsvector not null,
      primary key (conversation_key, item_key)
    );
    create index search_entry_of_owner on conversations.search_entry (owner_id, said_at, conversation_key, item_key);
    create index search_entry_vector on conversations.search_entry using gin (vector) with (gin_pending_list_limit = 1024);

    create table conversations.search_pending (
      key bigint generated always as identity primary key,
      conversation_key bigint not null,
      item_key bigint not null,
      claimed_until timestamptz(3)
    );

    create function conversations.search_item_changed() returns trigger language plpgsql as $function$
    begin
      insert into conversations.search_pending (conversation_key, item_key) values (new.conversation_key, new.key);
      return null;
    end
    $function$;
    create trigger search_item_added after insert on conversations.item
      for each row when (new.type = 'message' and new.status <> 'in_progress')
      execute function conversations.search_item_changed();
    create trigger search_item_changed after update on conversations.item
      for each row when (
        new.type = 'message' and new.status <> 'in_progress'
        and (new.status <> old.status or new.content::text <> old.content::text)
      )
      execute function conversations.search_item_changed();

    create function conversations.search_conversation_changed() returns trigger language plpgsql as $function$
    begin
      insert into conversations.search_pending (conversation_key, item_key) values (new.key, 0);
      return null;
    end
    $function$;
    create trigger search_conversation_added after insert on conversations.conversation
      for each row when (new.title is not null)
      execute function conversations.search_conversation_changed();
    create trigger search_conversation_changed after update on conversations.conversation
      for each row when (
        new.title is distinct from old.title or (new.deleted_at is not null and old.deleted_at is null)
      )
      execute function conversations.search_conversation_changed();

    create table conversations.search_backfill (
      kind text primary key check (kind in ('titles', 'messages')),
      next_key bigint not null
    );
    insert into conversations.search_backfill (kind, next_key)
    select * from (
      select 'titles', max(key) from conversations.conversation
      union all
      select 'messages', max(key) from conversations.item
    ) last (kind, next_key)
    where next_key is not null;

    create function conversations.search_recent(
      owner uuid, query tsquery, project text, only_referrer text, archived boolean, recent integer, most integer
    ) returns table (conversation_key bigint, conversation_id text, item_id text, said_at timestamptz, vector tsvector)
    language plpgsql stable rows 100
    set enable_seqscan to off set enable_bitmapscan to off set enable_sort to off
    set enable_hashjoin to off set enable_mergejoin to off as $function$
    #variable_conflict use_column
    begin
      return query
      select e.conversation_key, c.public_id, bi.public_id, e.said_at, e.vector
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

    create function conversations.search_index(owner uuid, query tsquery, most integer)
    returns setof conversations.search_entry language plpgsql stable rows 1000
    set enable_seqscan to off set enable_indexscan to off set work_mem to '16MB' as $function$
    begin
      return query
      select * from conversations.search_entry e
      where e.vector @@ (format('''%s''', ' ' || owner)::tsquery && query) limit most;
    end
    $function$;

    create function conversations.search_shares(owner uuid, queries tsquery[])
    returns float8[] language plpgsql stable
    set enable_seqscan to off set enable_bitmapscan to off set enable_sort to off as $function$
    begin
      return (
        select array_agg((
          select avg((e.vector @@ q)::integer) from (
            select newest.vector from conversations.search_entry newest where newest.owner_id = owner
            order by newest.said_at desc, newest.conversation_key desc, newest.item_key desc limit 2000
          ) e
        ))
        from unnest(queries) q
      );
    end
    $function$;

    create function conversations.search_candidates(
      owner uuid, query tsquery, narrow_query tsquery, words tsquery[], prefix tsquery, is_choice boolean,
      project text, only_referrer text, archived boolean, recent integer, enough integer, most integer
    ) returns table (conversation_key bigint, conversation_id text, item_id text, said_at timestamptz, vector tsvector)
    language plpgsql stable rows 100 set enable_hashjoin to off set enable_mergejoin to off as $function$
    #variable_conflict use_column
    declare
      found_recently integer;
      shares float8[];
      prefix_share float8;
      index_query tsquery := query;
      rare constant float8 := 0.005;
    begin
      return query select * from conversations.search_recent(owner, query, project, only_referrer, archived, recent, most);
      get diagnostics found_recently = row_count;
      if found_recently >= enough then
        return;
      end if;

      shares := conversations.search_shares(owner, words);
      if prefix is not null then
        prefix_share := (conversations.search_shares(owner, array[prefix]))[1];
        if prefix_share > rare and cardinality(words) > 0 then
          index_query := narrow_query;
        else
          shares := shares || prefix_share;
        end if;
      end if;
      if coalesce((select case when is_choice then max(share) else min(share) end from unnest(shares) share) > rare, true) then
        return;
      end if;

      return query
      select e.conversation_key, c.public_id, bi.public_id, e.said_at, e.vector
      from conversations.search_index(
        owner, index_query, most * case when coalesce(project, only_referrer, archived::text) is null then 1 else 10 end
      ) e
      cross join lateral (select * from conversations.conversation where key = e.conversation_key offset 0) c
      left join lateral (
        select place.* from (select * from conversations.branch_item where item_key = e.item_key offset 0) place
        where place.branch_key = c.active_branch_key and place.deleted_at is null limit 1
      ) bi on true
      where e.owner_id = owner and e.vector @@ query and c.deleted_at is null and (e.item_key = 0 or bi.public_id is not null)
        and (project is null or c.project_id = project) and (only_referrer is null or c.referrer = only_referrer)
        and (archived is null or (c.archived_at is not null) = archived)
      limit most;
    end
    $function$;
  `,
}
