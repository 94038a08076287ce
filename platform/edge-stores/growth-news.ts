import type { Notifications } from '../notifications.ts'
import { growthChannel } from './postgres-stream-parts.ts'

/** How often a reader looks by itself, should a notification be lost, and says that it is still there. */
const pollMs = 1_000

/** Says of one log when there may be more to read. */
export interface News {
  /** Asked for before one looks, so that nothing falls between. Settles after an abort, too. */
  next(signal: AbortSignal): Promise<void>
  close(): void
}

/** Follows all logs at once, until closed. */
export interface GrowthNews {
  of(run: string): News
  close(): void
}

export function growthNews(notifications: Pick<Notifications, 'follow'>): GrowthNews {
  const listenersByRun = new Map<string, Set<() => void>>()
  const unfollow = notifications.follow(growthChannel, (run) => {
    for (const heard of listenersByRun.get(run) ?? []) heard()
  })
  return {
    of(run) {
      let wake: () => void = () => undefined
      const heard = () => wake()
      const listeners = listenersByRun.get(run) ?? new Set()
      listenersByRun.set(run, listeners.add(heard))
      return {
        next(signal) {
          return new Promise((resolve) => {
            const timer = setTimeout(() => wake(), pollMs)
            wake = () => {
              clearTimeout(timer)
              signal.removeEventListener('abort', heard)
              resolve()
            }
            signal.addEventListener('abort', heard, { once: true })
          })
        },
        close() {
          wake()
          listeners.delete(heard)
          if (listeners.size === 0) listenersByRun.delete(run)
        },
      }
    },
    close: unfollow,
  }
}
