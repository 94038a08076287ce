import { LRUCache } from 'lru-cache'
import type { Notifications } from './notifications.ts'

/** Something that holds until it expires or one of its cache keys is revoked. */
export interface Revocable {
  readonly expiresAt: number
  readonly cacheKeys: readonly string[]
}

/** A bounded memory of what was looked up. Nothing in it outlives its revocation, or the link that would tell of one. */
export interface NotifiedCache<Value extends Revocable> {
  /** The value of `digest`: remembered, or looked up once for all who ask for it meanwhile. Failures are not remembered. */
  get(digest: string, lookUp: () => Promise<Value>): Promise<Value>
  close(): void
}

/** How a cache is made. */
export interface NotifiedCacheOptions {
  readonly notifications: Pick<Notifications, 'connected' | 'follow' | 'onChange'>
  /** Where it is told, by cache key, what does not hold any more. */
  readonly channel: string
  readonly maxEntries?: number
  /** The longest that anything is believed, in milliseconds: a link may be dead without knowing it. */
  readonly maxAgeMs?: number
}

/** A look-up that is under way, and what was revoked since it began: its answer may be older than that. */
interface LookUp<Value> {
  readonly answer: Promise<Value>
  readonly revoked: Set<string>
  outdated: boolean
}

export function notifiedCache<Value extends Revocable>({
  notifications,
  channel,
  maxEntries = 50_000,
  maxAgeMs = 60_000,
}: NotifiedCacheOptions): NotifiedCache<Value> {
  const digestsByKey = new Map<string, Set<string>>()
  const entries = new LRUCache<string, { value: Value; until: number }>({
    max: maxEntries,
    dispose: ({ value }, digest) => unlink(value, digest),
  })
  const lookUps = new Set<LookUp<Value>>()
  const latest = new Map<string, LookUp<Value>>()

  const unlink = ({ cacheKeys }: Value, digest: string) => {
    for (const key of cacheKeys) {
      const digests = digestsByKey.get(key)
      digests?.delete(digest)
      if (digests?.size === 0) digestsByKey.delete(key)
    }
  }
  const remember = (digest: string, value: Value) => {
    const until = Math.min(value.expiresAt, Date.now() + maxAgeMs)
    if (until <= Date.now()) return
    entries.set(digest, { value, until })
    for (const key of value.cacheKeys) {
      const digests = digestsByKey.get(key) ?? new Set()
      digestsByKey.set(key, digests.add(digest))
    }
  }
  const forget = (cacheKey: string) => {
    for (const digest of [...(digestsByKey.get(cacheKey) ?? [])]) entries.delete(digest)
    for (const { revoked } of lookUps) revoked.add(cacheKey)
  }
  const forgetAll = () => {
    entries.clear()
    for (const lookUp of lookUps) lookUp.outdated = true
  }
  const unfollow = notifications.follow(channel, forget)
  const unwatch = notifications.onChange(forgetAll)

  const begin = (digest: string, lookUp: () => Promise<Value>): Promise<Value> => {
    const current: LookUp<Value> = {
      answer: lookUp(),
      revoked: new Set(),
      outdated: !notifications.connected,
    }
    lookUps.add(current)
    latest.set(digest, current)
    const settle = () => {
      lookUps.delete(current)
      if (latest.get(digest) === current) latest.delete(digest)
    }
    return current.answer.then(
      (value) => {
        settle()
        const stale = current.outdated || value.cacheKeys.some((key) => current.revoked.has(key))
        if (!stale && notifications.connected) remember(digest, value)
        return value
      },
      (error: unknown) => {
        settle()
        throw error
      },
    )
  }

  return {
    async get(digest, lookUp) {
      const known = entries.get(digest)
      if (known && known.until > Date.now() && notifications.connected) return known.value
      const current = latest.get(digest)
      // what has been revoked since that look-up began might be what this caller knows of: ask anew
      if (current && !current.outdated && current.revoked.size === 0) return current.answer
      return begin(digest, lookUp)
    },
    close() {
      unfollow()
      unwatch()
    },
  }
}
