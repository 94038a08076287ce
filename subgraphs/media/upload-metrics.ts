import type { Metrics } from '../../platform/metrics/metrics.ts'
import type { MediaWrites } from './sources/media-writes.ts'

/** Counts uploads, however their bytes came (contract 8.12). */
export function countedUploads(metrics: Metrics): (writes: MediaWrites) => MediaWrites {
  const uploads = metrics.counter({
    name: 'jan_media_api_uploads_total',
    help: 'Images that were taken in; those of which the owner had the bytes already are `deduped`.',
    labels: ['deduped'],
  })
  const bytes = metrics.counter({
    name: 'jan_media_api_upload_bytes_total',
    help: 'Their bytes.',
    labels: [],
  })
  return (writes) => ({
    ...writes,
    async claim(draft) {
      const stored = await writes.claim(draft)
      if (stored) {
        uploads.add({ deduped: String(stored.deduped) })
        bytes.add({}, draft.bytes)
      }
      return stored
    },
  })
}
