import type { Migration } from '../../../platform/db.ts'

export const signIns: Migration = {
  name: '0002_sign_ins',
  sql: `
    create table accounts.sign_in (
      state_hash bytea primary key,
      verifier_sealed text not null,
      nonce text not null,
      redirect_url text not null,
      expires_at timestamptz(3) not null
    );
    create index sign_in_end on accounts.sign_in (expires_at);
  `,
}
