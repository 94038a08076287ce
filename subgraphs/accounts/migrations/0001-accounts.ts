import type { Migration } from '../../../platform/db.ts'

export const accounts: Migration = {
  name: '0001_accounts',
  sql: `
    create table accounts.user_account (
      key bigint generated always as identity primary key,
      id uuid not null unique,
      identity_method text not null,
      identity_issuer text not null,
      identity_subject text not null,
      username text,
      email text,
      email_verified boolean not null default false,
      name text,
      picture text,
      roles text[] not null default '{}',
      groups text[] not null default '{}',
      feature_flags text[] not null default '{}',
      is_guest boolean not null default false,
      is_admin boolean not null default false,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      disabled_at timestamptz(3),
      deleted_at timestamptz(3)
    );
    create unique index user_identity
      on accounts.user_account (identity_method, identity_issuer, identity_subject);
    create unique index user_email
      on accounts.user_account (lower(email)) where identity_method = 'builtin' and deleted_at is null;
    create index user_email_of_any on accounts.user_account (lower(email)) where deleted_at is null;

    create table accounts.session (
      id uuid primary key,
      user_id uuid not null references accounts.user_account (id),
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      revoked_at timestamptz(3),
      ip text,
      user_agent text
    );
    create index session_of_user on accounts.session (user_id);
    create index session_end on accounts.session (expires_at);

    create table accounts.refresh_token (
      token_hash bytea primary key,
      session_id uuid not null references accounts.session (id) on delete cascade,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      used_at timestamptz(3)
    );
    create index refresh_token_of_session on accounts.refresh_token (session_id);
    create index refresh_token_end on accounts.refresh_token (expires_at);

    create table accounts.revoked_token (
      token_key text primary key,
      revoked_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null
    );
    create index revoked_token_end on accounts.revoked_token (expires_at);

    create table accounts.api_key (
      key bigint generated always as identity primary key,
      id uuid not null unique,
      user_id uuid not null references accounts.user_account (id),
      origin text not null default 'user',
      name text not null,
      prefix text not null,
      suffix text not null,
      secret_hash bytea not null unique,
      scopes text[] not null default '{}',
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3),
      revoked_at timestamptz(3),
      last_used_at timestamptz(3)
    );
    create index api_key_of_user on accounts.api_key (user_id, key);
    create unique index api_key_of_first_start on accounts.api_key (origin) where origin = 'first_start';

    create table accounts.signing_key (
      key bigint generated always as identity primary key,
      kid text not null unique,
      public_jwk json not null,
      private_sealed text not null,
      created_at timestamptz(3) not null default now(),
      verifies_until timestamptz(3)
    );

    create table accounts.usage_record (
      key bigint generated always as identity primary key,
      id text not null unique,
      user_id uuid not null,
      model text not null,
      provider text not null,
      conversation_id text,
      prompt_tokens integer not null,
      completion_tokens integer not null,
      total_tokens integer not null,
      estimated boolean not null,
      duration_ms integer not null,
      time_to_first_token_ms integer,
      status text not null,
      stream boolean not null,
      created_at timestamptz(3) not null default now()
    );
    create index usage_of_user on accounts.usage_record (user_id, created_at);
    create index usage_by_time on accounts.usage_record (created_at);
  `,
}
