import type { Migration } from '../../../platform/db.ts'

export const models: Migration = {
  name: '0001_models',
  sql: `
    create table models.provider (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      -- Where it was configured: 'environment:openai', 'file:<name>', 'discovered:<url>', 'builtin:development'.
      source_key text not null unique,
      source text not null,
      name text not null,
      vendor text not null,
      endpoints json not null,
      api_key_sealed text,
      api_key_hint text,
      category text not null default 'llm',
      metadata json not null,
      is_active boolean not null default true,
      last_synced_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create table models.provider_model (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      provider_key bigint not null references models.provider (key) on delete cascade,
      model_id text not null,
      original_id text not null,
      display_name text not null,
      owned_by text not null,
      model_created_at timestamptz(3) not null,
      category text not null default '',
      category_order int not null default 0,
      model_order int not null default 0,
      pricing json,
      context_length int,
      max_completion_tokens int,
      family text,
      supports_images boolean,
      supports_embeddings boolean,
      supports_reasoning boolean,
      supports_audio boolean,
      supports_video boolean,
      supports_tools boolean,
      instruct_model_id text,
      is_active boolean not null default true,
      -- Whether the provider's last list had it.
      is_listed boolean not null default true,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      unique (provider_key, original_id)
    );
    create table models.catalog_entry (
      key bigint generated always as identity primary key,
      model_id text not null unique,
      display_name text,
      description text,
      supported_parameters json not null,
      architecture json not null,
      tags json not null,
      notes text,
      context_length int,
      is_moderated boolean,
      is_active boolean not null default true,
      extras json,
      status text not null default 'init',
      family text,
      is_experimental boolean not null default false,
      requires_feature_flag text,
      supports_images boolean,
      supports_embeddings boolean,
      supports_reasoning boolean,
      supports_instruct boolean,
      supports_audio boolean,
      supports_video boolean,
      supports_tools boolean,
      supports_browser boolean,
      last_synced_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
  `,
}
