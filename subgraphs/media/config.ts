import { z } from 'zod'
import { duration, flag, integer } from '../../platform/config.ts'

/** Contract 8.11. Where the bytes are and how many are taken is the platform's to read: the edge moves them too. */
export const mediaConfig = z.object({
  MEDIA_RETENTION_DAYS: integer(30, { max: 36_500 }),
  MEDIA_S3_PRESIGN_TTL: duration('168h'),
  MEDIA_REMOTE_FETCH_TIMEOUT: duration('15s'),
  MEDIA_PUBLIC_READ: flag(true),
})

/** The subgraph's settings, parsed. */
export type MediaConfig = z.output<typeof mediaConfig>
