import type { Migration } from '../../../platform/db.ts'

/**
 * The same bytes of the same owner have one id for whoever uploads them again. Where the media that had them first is deleted,
 * the oldest of those that were promised an id of their own takes its place.
 */
export const heirsOfContent: Migration = {
  name: '0002_heirs_of_content',
  sql: `
    create index media_alias_content on media.media (owner_id, sha256, key) where is_alias;

    update media.media m set is_alias = false where m.key in (
      select min(a.key) from media.media a
      where a.is_alias and not exists (
        select from media.media f where f.owner_id = a.owner_id and f.sha256 = a.sha256 and not f.is_alias
      )
      group by a.owner_id, a.sha256
    );

    create or replace function media.remove_media(owner uuid, ids text[]) returns setof text language plpgsql as $function$
    declare
      left_behind bytea[];
    begin
      perform media.lock_owner(owner);
      left_behind := array(
        select m.sha256 from media.media m where m.owner_id = owner and m.public_id = any(ids) and not m.is_alias
      );
      return query
      with gone as (
        delete from media.media m where m.owner_id = owner and m.public_id = any(ids)
        returning m.public_id, m.storage_key
      ), given_up as (
        -- a link to put the object may still be used: it stays due when it was
        delete from media.upload u where u.owner_id = owner and u.public_id = any(ids) returning u.public_id
      ), freed as (
        insert into media.unclaimed_object (storage_key, due_at)
        select distinct g.storage_key, now() from gone g
        where not exists (
          select from media.media m where m.storage_key = g.storage_key and m.public_id <> all(ids)
        )
      )
      select g.public_id from gone g union all select u.public_id from given_up u;
      update media.media m set is_alias = false where m.key in (
        select heir.key from unnest(left_behind) as content (sha256)
        cross join lateral (
          select a.key from media.media a
          where a.owner_id = owner and a.sha256 = content.sha256 and a.is_alias
          order by a.key limit 1
        ) as heir
      );
    end
    $function$;
  `,
}
