import type { PlatformConfig } from '../platform/config.ts'
import { sweepExpiredStreams } from '../platform/edge-stores/expired-streams.ts'
import type { IdempotencyStore } from '../platform/edge-stores/idempotency-store.ts'
import { memoryRateLimitStore } from '../platform/edge-stores/memory-rate-limit-store.ts'
import { edgePersistence } from '../platform/edge-stores/persistence.ts'
import { postgresIdempotencyStore } from '../platform/edge-stores/postgres-idempotency-store.ts'
import { postgresRateLimitStore } from '../platform/edge-stores/postgres-rate-limit-store.ts'
import { postgresStreamLog } from '../platform/edge-stores/postgres-stream-log.ts'
import type { RateLimitStore } from '../platform/edge-stores/rate-limit-store.ts'
import type { StreamLog } from '../platform/edge-stores/stream-log.ts'
import type { SharedServices } from './services.ts'

/** What the edge remembers between requests, in every process alike. */
export interface EdgeStores {
  readonly idempotency: IdempotencyStore
  readonly streams: StreamLog
  readonly rates: RateLimitStore
  /** Lets answers that are being written for others come to their end, for so long at most. */
  drain(graceMs: number): Promise<void>
  /** Ends what still runs without a client. */
  close(): Promise<void>
}

/** Joins the edge's own tables to the database. To be called before the database is migrated. */
export async function openEdgeStores(
  { database, notifications, secrets, log }: SharedServices,
  { DATABASE_URL }: PlatformConfig,
): Promise<EdgeStores> {
  const own = await database.attach(edgePersistence)
  const streams = postgresStreamLog({ database: own, notifications, secrets, log })
  const stopSweep = sweepExpiredStreams(own, log)
  return {
    idempotency: postgresIdempotencyStore(own),
    streams,
    // Nobody else has the embedded database; one that is given may serve many edges.
    rates: DATABASE_URL ? postgresRateLimitStore(database) : memoryRateLimitStore(),
    drain: (graceMs) => streams.drain(graceMs),
    async close() {
      stopSweep()
      await streams.close()
    },
  }
}
