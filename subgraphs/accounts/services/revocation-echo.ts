import type { Notifications } from '../../../platform/notifications.ts'
import { revocationChannel } from '../../../platform/revocations.ts'

/** After this long a revocation is answered without its echo: what is stored is revoked in any case. */
const patienceMs = 1_000

/**
 * Lets a revocation return only when its notification has come back, so that a caller who has its answer can't be let in
 * by a cache that has not heard of it yet.
 */
export interface RevocationEcho {
  /** Runs `work`; waits for the echo of `cacheKey` when `published` says that its result was published. */
  after<T>(cacheKey: string, work: () => Promise<T>, published?: (result: T) => boolean): Promise<T>
  close(): void
}

export function revocationEcho(notifications: Notifications): RevocationEcho {
  const waiting = new Map<string, Set<() => void>>()
  const close = notifications.follow(revocationChannel, (cacheKey) => {
    for (const heard of waiting.get(cacheKey) ?? []) heard()
  })
  return {
    close,
    async after(cacheKey, work, published = () => true) {
      const { promise: echo, resolve } = Promise.withResolvers<void>()
      const waiters = waiting.get(cacheKey) ?? new Set()
      waiting.set(cacheKey, waiters.add(resolve))
      let timer: NodeJS.Timeout | undefined
      try {
        const result = await work()
        if (!notifications.connected || !published(result)) return result
        timer = setTimeout(resolve, patienceMs)
        await echo
        return result
      } finally {
        clearTimeout(timer)
        waiters.delete(resolve)
        if (waiters.size === 0) waiting.delete(cacheKey)
      }
    },
  }
}
