import { join } from 'node:path'
import type { PlatformConfig } from '../config.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { lazyStore } from './lazy-store.ts'
import { openLocalStore } from './local-store.ts'
import { measuredStore } from './measured-store.ts'
import type { ObjectStore } from './object-store.ts'
import type { S3StoreOptions } from './s3-store.ts'
import type { SignedLinks } from './signed-links.ts'
import { unconfiguredStore } from './unconfigured-store.ts'

export type { ObjectStore, SignedGetOptions, SignedPutOptions, SignedUrl } from './object-store.ts'
export { createSignedLinks, type SignedLinks } from './signed-links.ts'

/** What a store is chosen by and made of. */
export interface ObjectStoreOptions {
  readonly platform: PlatformConfig
  /** Links to files; a bucket makes its own. */
  readonly links: SignedLinks
  readonly log: Logger
  readonly metrics: Metrics
}

/**
 * The store that `MEDIA_STORAGE_BACKEND` names; while that is unset a bucket where one is named, else files. A bucket that is
 * not told of whole keeps nobody from starting: each call throws `media_storage_not_configured`.
 */
export function createObjectStore({ platform, links, log, metrics }: ObjectStoreOptions): ObjectStore {
  const backend = platform.MEDIA_STORAGE_BACKEND ?? (platform.MEDIA_S3_BUCKET ? 's3' : 'local')
  if (backend === 'local') {
    const folder = platform.MEDIA_LOCAL_STORAGE_PATH ?? join(platform.JAN_DATA_DIR, 'media')
    return measuredStore(openLocalStore({ folder, links, log }), backend, metrics)
  }
  return measuredStore(openBucket(platform, log), backend, metrics)
}

function openBucket(platform: PlatformConfig, log: Logger): ObjectStore {
  const {
    MEDIA_S3_BUCKET: bucket,
    MEDIA_S3_ACCESS_KEY_ID: accessKeyId,
    MEDIA_S3_SECRET_ACCESS_KEY: secretAccessKey,
    MEDIA_S3_ENDPOINT: endpoint,
  } = platform
  const needed = {
    MEDIA_S3_BUCKET: bucket,
    MEDIA_S3_ACCESS_KEY_ID: accessKeyId,
    MEDIA_S3_SECRET_ACCESS_KEY: secretAccessKey,
  }
  if (!bucket || !accessKeyId || !secretAccessKey) {
    const missing = Object.entries(needed).flatMap(([name, value]) => (value ? [] : [name]))
    log.warn({ missing }, 'there is no store for media')
    return unconfiguredStore(missing)
  }
  const options: S3StoreOptions = {
    bucket,
    credentials: { accessKeyId, secretAccessKey },
    region: platform.MEDIA_S3_REGION,
    endpoint: endpoint ?? null,
    publicEndpoint: platform.MEDIA_S3_PUBLIC_ENDPOINT ?? endpoint ?? null,
    // Few servers but Amazon's answer under a host of each bucket's own.
    usePathStyle: platform.MEDIA_S3_USE_PATH_STYLE ?? endpoint !== undefined,
    createBucket: platform.MEDIA_S3_CREATE_BUCKET,
    log,
  }
  // The SDK takes 30 MB: only for those who have a bucket, and once they use it.
  return lazyStore(async () => (await import('./s3-store.ts')).openS3Store(options))
}
