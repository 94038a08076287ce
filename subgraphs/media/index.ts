import { mediaMaxBytes } from '../../platform/config.ts'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { mediaConfig } from './config.ts'
import { mediaContext } from './context.ts'
import { Media } from './entities.ts'
import { media as createMedia } from './migrations/0001-media.ts'
import { heirsOfContent } from './migrations/0002-heirs-of-content.ts'
import { resolvers } from './resolvers.ts'
import { endRetention } from './retention.ts'
import { leftoverSource } from './sources/leftovers.ts'
import { eraseOwner } from './sources/media-writes.ts'
import { retentionSource } from './sources/retention.ts'
import { startSweeper } from './sweeper.ts'
import { countedUploads } from './upload-metrics.ts'

/** Images: what people have uploaded and what models have made. */
export const media = defineSubgraph({
  name: 'media',
  home: import.meta.url,
  resolvers,
  persistence: { entities: [Media], migrations: [createMedia, heirsOfContent] },
  config: mediaConfig,
  start({ database, objects, outbound, platform, settings, background, log, metrics }) {
    const days = settings.MEDIA_RETENTION_DAYS
    const retention = retentionSource(database)
    const sweeper = startSweeper({
      endRetention: async () => days > 0 && endRetention(retention, days, background),
      leftovers: leftoverSource(database),
      objects,
      log,
    })
    const maxBytes = mediaMaxBytes(platform)
    const counted = countedUploads(metrics)
    const parts = { database, objects, outbound, maxBytes, settings, counted, sweepSoon: sweeper.wake }
    return {
      createContext: (request) => mediaContext(request, parts),
      ready: async () => sweeper.wake(),
      async erase(userId) {
        await eraseOwner(database, userId)
        sweeper.wake()
      },
      stop: () => sweeper.stop(),
    }
  },
})
