import { AppError } from '../errors.ts'
import type { ObjectStore } from './object-store.ts'

/** Stands where a bucket was chosen and not all of it was told: the platform starts, and media are refused. */
export function unconfiguredStore(missing: readonly string[]): ObjectStore {
  const refuse = async (): Promise<never> => {
    throw new AppError(
      'media_storage_not_configured',
      `There is no store for media: whoever runs this platform has to set ${missing.join(', ')}.`,
    )
  }
  return {
    async write(_key, bytes) {
      bytes.once('error', () => undefined).destroy()
      return refuse()
    },
    read: refuse,
    head: refuse,
    delete: refuse,
    signedGet: refuse,
    signedPut: refuse,
  }
}
