import type { Migration } from '../../../platform/db.ts'

/**
 * Accounts that their users have deleted, and which subgraph has removed what it had of them. Nothing personal is kept here: a
 * user's id, which by then means nobody. Rows stay, so that a subgraph that was away for long still learns of them.
 */
export const erasures: Migration = {
  name: '0004_erasures',
  sql: `
    create table accounts.erasure (
      user_id uuid primary key,
      requested_at timestamptz(3) not null default now()
    );
    create index erasure_by_time on accounts.erasure (requested_at);

    create table accounts.erased (
      user_id uuid not null references accounts.erasure on delete cascade,
      subgraph text not null,
      erased_at timestamptz(3) not null,
      primary key (subgraph, user_id)
    );
    create index erased_of_user on accounts.erased (user_id);
  `,
}
