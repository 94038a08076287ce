import type { SubgraphDatabase } from '../db.ts'
import { newUuid } from '../ids.ts'
import type { IdempotencyClaim, IdempotencyStore } from './idempotency-store.ts'
import { keptSeconds, leaseSeconds } from './stream-lease.ts'

/** Claims in PostgreSQL: one round trip, decided by `edge.claim_request`. */
export function postgresIdempotencyStore(database: Pick<SubgraphDatabase, 'prepared'>): IdempotencyStore {
  return {
    async claim(scope, fingerprint) {
      const [row] = await database.prepared<{ outcome: IdempotencyClaim['outcome']; run: string }>(
        'edge_claim_request',
        'select outcome, run from edge.claim_request($1, $2, $3, $4, $5)',
        [scope, fingerprint, newUuid(), leaseSeconds, keptSeconds],
      )
      if (!row) throw new Error('edge.claim_request gave no row')
      return row
    },
  }
}
