import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'

/** A sign-in that has gone to the identity provider and is to come back from there. */
export interface PendingSignIn {
  readonly verifierSealed: string
  readonly nonce: string
  readonly redirectUrl: string
}

/** The SQL of sign-ins. What one process began, another may end. */
export interface SignInSource {
  insert(stateHash: Buffer, pending: PendingSignIn, expiresAt: Date): Promise<void>
  /** Takes a sign-in out: it can be ended once. Null when there is none, or its time is over. */
  take(stateHash: Buffer): Promise<PendingSignIn | null>
  sweep(): Promise<void>
}

export function signInSource(database: SubgraphDatabase): SignInSource {
  return {
    async insert(stateHash, { verifierSealed, nonce, redirectUrl }, expiresAt) {
      await sql`
        insert into accounts.sign_in (state_hash, verifier_sealed, nonce, redirect_url, expires_at)
        values (${stateHash}, ${verifierSealed}, ${nonce}, ${redirectUrl}, ${expiresAt})`.execute(
        database.fork().getKysely(),
      )
    },

    async take(stateHash) {
      const { rows } = await sql<PendingSignIn & { live: boolean }>`
        delete from accounts.sign_in where state_hash = ${stateHash}
        returning verifier_sealed as "verifierSealed", nonce, redirect_url as "redirectUrl", expires_at > now() as live`.execute(
        database.fork().getKysely(),
      )
      const [row] = rows
      return row?.live ? row : null
    },

    async sweep() {
      await sql`delete from accounts.sign_in where expires_at < now()`.execute(database.fork().getKysely())
    },
  }
}
