import type { Migration } from '../../../platform/db.ts'

export const userSettings: Migration = {
  name: '0003_user_settings',
  sql: `
    create table accounts.user_settings (
      user_id uuid primary key references accounts.user_account (id) on delete cascade,
      public_id text not null unique,
      -- Only what was set: defaults are merged in when it is read, so that a new default reaches everybody.
      settings json not null,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
  `,
}
