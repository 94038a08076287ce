import type { PlatformConfig } from '../platform/config.ts'
import type { Database } from '../platform/db.ts'
import { openDatabase } from '../platform/db.ts'
import { createGuardedFetch, type GuardedFetch } from '../platform/guarded-fetch/index.ts'
import type { Logger } from '../platform/log.ts'
import { type DeferredMetrics, deferredMetrics } from '../platform/metrics/deferred-metrics.ts'
import { type Notifications, openNotifications } from '../platform/notifications.ts'
import {
  createObjectStore,
  createSignedLinks,
  type ObjectStore,
  type SignedLinks,
} from '../platform/object-store/index.ts'
import { createSecretBox, type SecretBox } from '../platform/secret-box.ts'
import { noTracing, type Tracing } from '../platform/tracing/tracing.ts'
import type { Settings } from './settings.ts'
import type { StopStack } from './stop-stack.ts'

/** What the parts of one process share. */
export interface SharedServices {
  readonly database: Database
  readonly notifications: Notifications
  readonly secrets: SecretBox
  readonly outbound: GuardedFetch
  readonly rootSecret: string
  /** The bytes behind the graph. */
  readonly objects: ObjectStore
  /** Links to them that lead here; those of a bucket lead there. */
  readonly links: SignedLinks
  readonly log: Logger
  readonly metrics: DeferredMetrics
  readonly tracing: Tracing
}

/** What shared services are opened with. */
export interface SharedServiceOptions {
  readonly settings: Settings
  readonly databaseUrl: string
  readonly rootSecret: string
  readonly log: Logger
  /** Sees every SQL statement; for tests. */
  readonly onStatement?: (sql: string) => void
}

/** Opens them; what has to be closed again is on the stack. */
export async function openSharedServices(
  options: SharedServiceOptions,
  stack: Pick<StopStack, 'push'>,
): Promise<SharedServices> {
  const { settings, databaseUrl, rootSecret, log, onStatement } = options
  const database = openDatabase({
    url: databaseUrl,
    poolSize: settings.platform.DATABASE_POOL_SIZE,
    log,
    ...(onStatement ? { onStatement } : {}),
  })
  stack.push('database pool', () => database.close())
  const tracing = await openTracing(settings.platform, log, stack)
  const links = createSignedLinks({ rootSecret, baseUrl: settings.filesUrl })
  const metrics = deferredMetrics()
  const objects = createObjectStore({ platform: settings.platform, links, log, metrics })
  const notifications = await openNotifications(databaseUrl, database.pool, log)
  stack.push('notification link', () => notifications.close())
  return {
    database,
    notifications,
    secrets: createSecretBox(rootSecret),
    outbound: createGuardedFetch({ allowed: settings.platform.OUTBOUND_ALLOW_HOSTS }),
    rootSecret,
    objects,
    links,
    log,
    metrics,
    tracing,
  }
}

/** The library is loaded by those alone who collect. */
async function openTracing(
  { OTEL_ENABLED, OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT }: PlatformConfig,
  log: Logger,
  stack: Pick<StopStack, 'push'>,
): Promise<Tracing> {
  if (!OTEL_ENABLED) return noTracing
  const { openTelemetry } = await import('../platform/tracing/opentelemetry.ts')
  const tracing = openTelemetry({
    endpoint: OTEL_EXPORTER_OTLP_ENDPOINT,
    serviceName: OTEL_SERVICE_NAME,
    log,
  })
  stack.push('spans', () => tracing.close())
  return tracing
}
