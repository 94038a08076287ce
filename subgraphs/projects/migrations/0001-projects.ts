import type { Migration } from '../../../platform/db.ts'

export const projects: Migration = {
  name: '0001_projects',
  sql: `
    create table projects.project (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      owner_id uuid not null,
      name text not null,
      instruction text,
      description text,
      is_favorite boolean not null default false,
      archived_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      deleted_at timestamptz(3)
    );
    create index project_of_owner on projects.project (owner_id, key) where deleted_at is null;
    create unique index project_name_of_owner on projects.project (owner_id, name) where deleted_at is null;
  `,
}
