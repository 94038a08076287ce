import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import type { GuardedFetch } from '../../platform/guarded-fetch/index.ts'
import type { ObjectStore } from '../../platform/object-store/object-store.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import type { MediaConfig } from './config.ts'
import { type ProjectMedia, projectMedia } from './project-media.ts'
import { type CreationService, creationService } from './services/creation.ts'
import { type MediaService, mediaService } from './services/media.ts'
import { type UploadService, uploadService } from './services/uploads.ts'
import { mediaSource } from './sources/media.ts'
import { type MediaWrites, mediaWrites } from './sources/media-writes.ts'

/** The scope of one request in this subgraph. */
export interface MediaContext extends SubgraphContext {
  readonly media: MediaService
  readonly uploads: UploadService
  readonly creation: CreationService
  readonly idsOfProject: ProjectMedia['idsOfProject']
  /** Tells the sweeper that something is due. */
  sweepSoon(): void
}

/** What all requests share. */
export interface MediaSharedParts {
  readonly database: SubgraphDatabase
  readonly objects: ObjectStore
  readonly outbound: GuardedFetch
  readonly maxBytes: number
  readonly settings: MediaConfig
  readonly counted: (writes: MediaWrites) => MediaWrites
  sweepSoon(): void
}

export function mediaContext(request: RequestContext, parts: MediaSharedParts): MediaContext {
  const { database, objects, outbound, maxBytes, settings, counted, sweepSoon } = parts
  const { actor, signal } = request
  const source = mediaSource(database)
  const writes = counted(mediaWrites(database))
  const projects = projectMedia(request)
  const retentionDays = settings.MEDIA_RETENTION_DAYS || null
  const uploads = uploadService({ actor, writes, objects, maxBytes, retentionDays, signal })
  const fetchTimeoutMs = settings.MEDIA_REMOTE_FETCH_TIMEOUT
  return {
    request,
    uploads,
    creation: creationService({ uploads, outbound, maxBytes, fetchTimeoutMs, signal }),
    media: mediaService({
      actor,
      source,
      writes,
      objects,
      uploads,
      linkSeconds: settings.MEDIA_S3_PRESIGN_TTL / 1000,
      isPublic: settings.MEDIA_PUBLIC_READ,
    }),
    idsOfProject: projects.idsOfProject,
    sweepSoon,
    clearLoaders() {
      source.clearLoaders()
      projects.clearLoaders()
    },
  }
}
