import type { Migration } from '../../../platform/db.ts'

/**
 * Public links. The snapshot is forgotten when its link is revoked. The unique index holds what the rules promise: a
 * conversation has one link at a time that is not revoked.
 */
export const shares: Migration = {
  name: '0007_shares',
  sql: `
    create table conversations.share (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      slug text not null unique,
      conversation_key bigint not null references conversations.conversation on delete cascade,
      owner_id uuid not null,
      item_id text,
      title text not null,
      includes_images boolean not null,
      includes_context boolean not null,
      snapshot json,
      view_count integer not null default 0,
      last_viewed_at timestamptz(3),
      expires_at timestamptz(3),
      revoked_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      check ((snapshot is null) = (revoked_at is not null))
    );
    create index share_of_owner on conversations.share (owner_id, key);
    create index share_of_conversation on conversations.share (conversation_key, key);
    create unique index live_share_of_conversation on conversations.share (conversation_key) where revoked_at is null;
  `,
}
