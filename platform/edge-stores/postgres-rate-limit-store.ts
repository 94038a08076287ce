import type { Database } from '../db.ts'
import { limiterRateStore } from './limiter-rate-store.ts'
import { memoryLimiter } from './memory-rate-limit-store.ts'
import type { RateLimitStore } from './rate-limit-store.ts'

/** Counts across every process on this database; in memory while the database can't be asked. */
export function postgresRateLimitStore({ pool }: Pick<Database, 'pool'>): RateLimitStore {
  return limiterRateStore(
    (limiters, window) =>
      new limiters.RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        schemaName: 'edge',
        tableName: 'rate_limit',
        tableCreated: true,
        clearExpiredByTimeout: true,
        keyPrefix: window.name,
        points: window.points,
        duration: window.seconds,
        insuranceLimiter: memoryLimiter(limiters, window),
      }),
  )
}
