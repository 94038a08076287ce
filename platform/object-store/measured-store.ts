import { AppError } from '../errors.ts'
import { type Metrics, secondsBuckets, shortSecondsBuckets } from '../metrics/metrics.ts'
import type { ObjectStore } from './object-store.ts'

/** A store of which every operation is counted and timed, by what it is kept in (contract 8.12). */
export function measuredStore(store: ObjectStore, backend: 'local' | 's3', metrics: Metrics): ObjectStore {
  const operations = metrics.counter({
    name: 'jan_media_api_s3_operations_total',
    help: 'What was asked of the store of media: a bucket, or files.',
    labels: ['operation', 'backend', 'status'],
  })
  const durations = metrics.histogram({
    name: 'jan_media_api_s3_duration_seconds',
    help: 'How long that took; of what is read, until its first byte can be.',
    labels: ['operation', 'backend'],
    buckets: secondsBuckets,
  })
  const links = metrics.histogram({
    name: 'jan_media_api_presign_duration_seconds',
    help: 'How long it took to sign a link.',
    labels: ['backend'],
    buckets: shortSecondsBuckets,
  })
  const measured = async <Answer>(operation: string, work: () => Promise<Answer>): Promise<Answer> => {
    const started = performance.now()
    let status = 'ok'
    try {
      return await work()
    } catch (error) {
      status = isOurs(error) ? 'failed' : 'aborted'
      throw error
    } finally {
      operations.add({ operation, backend, status })
      durations.observe({ operation, backend }, (performance.now() - started) / 1000)
    }
  }
  const signed = async <Answer>(operation: string, work: () => Promise<Answer>): Promise<Answer> => {
    const started = performance.now()
    const link = await measured(operation, work)
    links.observe({ backend }, (performance.now() - started) / 1000)
    return link
  }
  return {
    write: (key, bytes, options) => measured('write', () => store.write(key, bytes, options)),
    read: (key, options) => measured('read', () => store.read(key, options)),
    head: (key) => measured('head', () => store.head(key)),
    delete: (keys) => measured('delete', () => store.delete(keys)),
    signedGet: (key, options) => signed('signed_get', () => store.signedGet(key, options)),
    signedPut: (key, options) => signed('signed_put', () => store.signedPut(key, options)),
  }
}

/** What is the store's or ours; a client that breaks off its upload, or sends more than it said, is neither. */
function isOurs(error: unknown): boolean {
  return error instanceof AppError && error.status >= 500
}
