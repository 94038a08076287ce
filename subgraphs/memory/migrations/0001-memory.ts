import type { Migration } from '../../../platform/db.ts'

export const memory: Migration = {
  name: '0001_memory',
  sql: `
    create table memory.item (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      owner_id uuid not null,
      scope text not null,
      project_id text,
      kind text,
      topic text not null,
      text text not null,
      importance smallint not null,
      confidence real,
      conversation_id text,
      revision integer not null default 0,
      embedding bytea,
      embedding_model text,
      claimed_until timestamptz(3),
      words tsvector not null generated always as (to_tsvector('english', topic || ' ' || text)) stored,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create unique index item_topic on memory.item (owner_id, scope, project_id, lower(topic)) nulls not distinct;
    create index item_of_owner on memory.item (owner_id, key);
    create index item_embedding_model on memory.item (embedding_model, key);
  `,
}
