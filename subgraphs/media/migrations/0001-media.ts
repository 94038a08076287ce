import type { Migration } from '../../../platform/db.ts'

/**
 * Media, uploads that clients have prepared, and the objects that no media claims.
 *
 * An object is rubbish until a row says otherwise: its key is written to `unclaimed_object` before its first byte is
 * stored, and taken out in the transaction that makes its media. So whatever is in the store has its key in one of these
 * tables, wherever a process dies, and the sweeper removes what stays unclaimed.
 *
 * `claim_object` and `remove_media` hold a lock of the owner's: of two uploads of the same bytes one becomes the media and the other
 * finds it, and the last reference to an object is the one that frees it.
 */
export const media: Migration = {
  name: '0001_media',
  sql: `
    create table media.media (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      owner_id uuid not null,
      storage_key text not null,
      mime_type text not null,
      bytes integer not null,
      sha256 bytea not null,
      width integer not null,
      height integer not null,
      filename text,
      -- an id that was promised before the bytes were known, which another media of the owner's has already
      is_alias boolean not null,
      created_at timestamptz(3) not null default now(),
      retention_until timestamptz(3)
    );
    create unique index media_content on media.media (owner_id, sha256) where not is_alias;
    create index media_of_owner on media.media (owner_id, key);
    create index media_storage_key on media.media (storage_key);
    create index media_retention_until on media.media (retention_until);

    create table media.upload (
      public_id text primary key,
      owner_id uuid not null,
      storage_key text not null unique,
      mime_type text not null,
      bytes integer,
      filename text,
      expires_at timestamptz(3) not null
    );
    create index upload_of_owner on media.upload (owner_id);
    create index upload_expires_at on media.upload (expires_at);

    create table media.unclaimed_object (
      storage_key text primary key,
      -- from then on it may be removed
      due_at timestamptz(3) not null,
      -- somebody removes it: nobody can claim it any more
      taken_at timestamptz(3)
    );
    create index unclaimed_object_due_at on media.unclaimed_object (due_at);

    create function media.lock_owner(owner uuid) returns void language sql as $function$
      select pg_advisory_xact_lock(hashtextextended('media ' || owner::text, 0))
    $function$;

    create function media.claim_object(
      new_id text, owner uuid, object_key text, type text, size integer, hash bytea, pixels_wide integer, pixels_high integer,
      name text, retention interval, is_promised boolean
    ) returns table (deduped boolean, media media.media) language plpgsql rows 1 as $function$
    #variable_conflict use_variable
    begin
      perform media.lock_owner(owner);
      if is_promised then
        delete from media.upload u where u.public_id = new_id and u.owner_id = owner;
        if not found then
          -- who was first has made the media of this upload, or it was given up: then there is none
          update media.unclaimed_object o set due_at = now() where o.storage_key = object_key;
          deduped := true;
          select m.* into media from media.media m where m.public_id = new_id and m.owner_id = owner;
          return next;
          return;
        end if;
      end if;
      select m.* into media from media.media m where m.owner_id = owner and m.sha256 = hash and not m.is_alias;
      deduped := media.key is not null;
      if deduped then
        update media.unclaimed_object o set due_at = now() where o.storage_key = object_key;
      else
        delete from media.unclaimed_object o where o.storage_key = object_key and o.taken_at is null;
        if not found then raise exception 'the object % was given up', object_key; end if;
      end if;
      if deduped and not is_promised then
        update media.media m set retention_until = greatest(m.retention_until, now() + retention)
        where m.key = media.key returning m.* into media;
      else
        insert into media.media (
          public_id, owner_id, storage_key, mime_type, bytes, sha256, width, height, filename, is_alias, retention_until
        ) values (
          new_id, owner, coalesce(media.storage_key, object_key), type, size, hash, pixels_wide, pixels_high, name, deduped,
          now() + retention
        ) returning * into media;
      end if;
      return next;
    end
    $function$;

    create function media.remove_media(owner uuid, ids text[]) returns setof text language plpgsql as $function$
    begin
      perform media.lock_owner(owner);
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
    end
    $function$;
  `,
}
