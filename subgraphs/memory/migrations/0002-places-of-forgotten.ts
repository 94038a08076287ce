import type { Migration } from '../../../platform/db.ts'

/**
 * Where forgotten memories stood, for a day at least: who reads a list in pages goes on from one that is forgotten meanwhile. Of
 * what they said nothing is kept.
 */
export const placesOfForgotten: Migration = {
  name: '0002_places_of_forgotten',
  sql: `
    create table memory.forgotten (
      public_id text primary key,
      owner_id uuid not null,
      key bigint not null,
      forgotten_at timestamptz(3) not null default now()
    );
    create index forgotten_of_owner on memory.forgotten (owner_id, forgotten_at);

    create function memory.keep_places() returns trigger language plpgsql as $function$
    begin
      delete from memory.forgotten f
      where f.owner_id in (select gone.owner_id from gone) and f.forgotten_at < now() - interval '1 day';
      insert into memory.forgotten (public_id, owner_id, key)
      select gone.public_id, gone.owner_id, gone.key from gone;
      return null;
    end
    $function$;
    create trigger keep_places after delete on memory.item
      referencing old table as gone for each statement execute function memory.keep_places();
  `,
}
