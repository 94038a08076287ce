import type { Migration } from '../../../platform/db.ts'

export const prompts: Migration = {
  name: '0002_prompts',
  sql: `
    create table models.prompt_template (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      name text not null,
      description text,
      category text not null,
      template_key text not null constraint prompt_template_template_key unique,
      content text not null,
      variables json not null,
      metadata json not null,
      is_active boolean not null default true,
      is_system boolean not null default false,
      version int not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    -- Which template stands in for a key where this model is asked.
    create table models.model_prompt_template (
      key bigint generated always as identity primary key,
      public_id text not null unique,
      model_id text not null,
      template_key text not null,
      prompt_template_key bigint not null references models.prompt_template (key) on delete cascade,
      priority int not null default 0,
      is_active boolean not null default true,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      unique (model_id, template_key)
    );
    create index model_prompt_template_of on models.model_prompt_template (prompt_template_key);
  `,
}
