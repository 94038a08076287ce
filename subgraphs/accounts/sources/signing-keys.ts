import { sql } from 'kysely'
import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { SigningKey } from '../entities.ts'

/** A key pair that is about to be stored. */
export type NewSigningKey = Pick<SigningKey, 'kid' | 'publicJwk' | 'privateSealed'>

/** When to put a new key in the place of the newest. */
export interface RotationRule {
  /** The newest key may sign this long, in milliseconds. */
  readonly maxAgeMs: number
  /** How long an older key goes on verifying, in milliseconds. */
  readonly graceMs: number
  /** A key that can't sign here, whatever its age. */
  readonly unusable: string | null
}

/** The SQL of signing keys. */
export interface SigningKeySource {
  /** Keys that verify, newest first. */
  current(): Promise<SigningKey[]>
  /** Puts `make()` in the place of the newest key if that is still due: of several processes one does. */
  rotate(rule: RotationRule, make: () => Promise<NewSigningKey>): Promise<SigningKey[]>
}

/** Any constant will do: it names the lock under which keys are made. */
const rotationLock = 7_461_003

export function signingKeySource(database: SubgraphDatabase): SigningKeySource {
  return {
    current: () => read(database.fork()),

    rotate({ maxAgeMs, graceMs, unusable }, make) {
      return database.fork().transactional(async (em) => {
        const db = em.getKysely()
        await sql`select pg_advisory_xact_lock(${rotationLock})`.execute(db)
        const { rows } = await sql<{ fresh: boolean }>`
          select created_at > now() - ${maxAgeMs} * interval '1 millisecond' and kid is distinct from ${unusable} as fresh
          from accounts.signing_key order by key desc limit 1`.execute(db)
        if (!rows[0]?.fresh) {
          const { kid, publicJwk, privateSealed } = await make()
          await sql`delete from accounts.signing_key where verifies_until < now()`.execute(db)
          await sql`
            update accounts.signing_key set verifies_until = now() + ${graceMs} * interval '1 millisecond'
            where verifies_until is null`.execute(db)
          await sql`
            insert into accounts.signing_key (kid, public_jwk, private_sealed)
            values (${kid}, ${JSON.stringify(publicJwk)}::json, ${privateSealed})`.execute(db)
        }
        return read(em)
      })
    },
  }
}

async function read(em: EntityManager): Promise<SigningKey[]> {
  const { rows } = await sql<object>`
    select * from accounts.signing_key where verifies_until is null or verifies_until > now() order by key desc`.execute(
    em.getKysely(),
  )
  return rows.map((row) => em.map(SigningKey, row))
}
