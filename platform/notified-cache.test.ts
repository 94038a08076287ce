import { describe, expect, it } from '@jest/globals'
import { notifiedCache, type Revocable } from './notified-cache.ts'

const channel = 'revoked'

/** A link that tests switch and speak over. */
function someLink() {
  const receivers = new Set<(payload: string) => void>()
  const listeners = new Set<(connected: boolean) => void>()
  let connected = true
  return {
    get connected() {
      return connected
    },
    follow(_channel: string, receive: (payload: string) => void) {
      receivers.add(receive)
      return () => receivers.delete(receive)
    },
    onChange(listener: (connected: boolean) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    revoke: (cacheKey: string) => receivers.forEach((receive) => void receive(cacheKey)),
    set(now: boolean) {
      connected = now
      listeners.forEach((listener) => void listener(now))
    },
    followers: () => receivers.size + listeners.size,
  }
}

interface Entry extends Revocable {
  readonly name: string
}
const entry = (name: string, { lifeMs = 60_000, cacheKeys = [`user:${name}`] } = {}): Entry => ({
  name,
  expiresAt: Date.now() + lifeMs,
  cacheKeys,
})

/** Look-ups that are counted, and that end when the test says so. */
function lookUps() {
  const pending: ((value: Entry) => void)[] = []
  return {
    count: 0,
    next(value: Entry) {
      pending.shift()?.(value)
    },
    start() {
      this.count += 1
      return new Promise<Entry>((resolve) => pending.push(resolve))
    },
  }
}

describe('a cache that is told what does not hold any more', () => {
  it('asks once for what it remembers', async () => {
    const cache = notifiedCache<Entry>({ channel, notifications: someLink() })
    let asked = 0
    const lookUp = async () => {
      asked += 1
      return entry(`answer ${asked}`)
    }
    expect((await cache.get('a', lookUp)).name).toBe('answer 1')
    expect((await cache.get('a', lookUp)).name).toBe('answer 1')
    expect((await cache.get('b', lookUp)).name).toBe('answer 2')
  })

  it('asks once for all who want the same at the same time', async () => {
    const cache = notifiedCache<Entry>({ channel, notifications: someLink() })
    const asking = lookUps()
    const answers = Promise.all(Array.from({ length: 10 }, () => cache.get('a', () => asking.start())))
    asking.next(entry('shared'))
    expect((await answers).map(({ name }) => name)).toEqual(Array(10).fill('shared'))
    expect(asking.count).toBe(1)
  })

  it('forgets what is revoked, by any of its keys, and nothing else', async () => {
    const link = someLink()
    const cache = notifiedCache<Entry>({ channel, notifications: link })
    let asked = 0
    const lookUp = (name: string) => async () => {
      asked += 1
      return entry(name, { cacheKeys: [`user:${name}`, `session:${name}`] })
    }
    await cache.get('a', lookUp('a'))
    await cache.get('b', lookUp('b'))
    link.revoke('session:a')
    await cache.get('b', lookUp('b'))
    expect(asked).toBe(2)
    await cache.get('a', lookUp('a'))
    expect(asked).toBe(3)
    link.revoke('user:a')
    await cache.get('a', lookUp('a'))
    expect(asked).toBe(4)
  })

  it('does not remember an answer that was revoked while it was under way', async () => {
    const link = someLink()
    const cache = notifiedCache<Entry>({ channel, notifications: link })
    const asking = lookUps()
    const first = cache.get('a', () => asking.start())
    link.revoke('user:a')
    const later = cache.get('a', () => asking.start())
    expect(asking.count).toBe(2)
    link.revoke('key:of somebody else')
    asking.next(entry('a'))
    await first
    asking.next(entry('a'))
    await later
    // the later one began after the revocation: it may be remembered, the first may not have been
    link.revoke('user:a')
    void cache.get('a', () => asking.start())
    expect(asking.count).toBe(3)
  })

  it('does not remember the answer of a look-up that another one overtook', async () => {
    const link = someLink()
    const cache = notifiedCache<Entry>({ channel, notifications: link })
    const asking = lookUps()
    const first = cache.get('a', () => asking.start())
    link.revoke('user:somebody else')
    void cache.get('a', () => asking.start())
    link.revoke('user:a')
    asking.next(entry('a'))
    await first
    void cache.get('a', () => asking.start())
    expect(asking.count).toBe(3)
  })

  it('trusts nothing while the link is down, and forgets everything when it comes back', async () => {
    const link = someLink()
    const cache = notifiedCache<Entry>({ channel, notifications: link })
    let asked = 0
    const lookUp = async () => {
      asked += 1
      return entry('a')
    }
    await cache.get('a', lookUp)
    link.set(false)
    await cache.get('a', lookUp)
    await cache.get('a', lookUp)
    expect(asked).toBe(3)
    link.set(true)
    await cache.get('a', lookUp)
    await cache.get('a', lookUp)
    expect(asked).toBe(4)
  })

  it('does not remember an answer that was under way when the link broke', async () => {
    const link = someLink()
    const cache = notifiedCache<Entry>({ channel, notifications: link })
    const asking = lookUps()
    const answer = cache.get('a', () => asking.start())
    link.set(false)
    link.set(true)
    asking.next(entry('a'))
    await answer
    void cache.get('a', () => asking.start())
    expect(asking.count).toBe(2)
  })

  it('forgets what has expired, and what is older than it may get', async () => {
    for (const [lifeMs, maxAgeMs] of [
      [20, 60_000],
      [60_000, 20],
    ] as const) {
      const cache = notifiedCache<Entry>({ channel, notifications: someLink(), maxAgeMs })
      let asked = 0
      const lookUp = async () => {
        asked += 1
        return entry('a', { lifeMs })
      }
      await cache.get('a', lookUp)
      await new Promise((resolve) => setTimeout(resolve, 40))
      await cache.get('a', lookUp)
      expect(asked).toBe(2)
    }
  })

  it('does not remember failures', async () => {
    const cache = notifiedCache<Entry>({ channel, notifications: someLink() })
    await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect((await cache.get('a', async () => entry('a'))).name).toBe('a')
  })

  it('holds no more than it may, and still hears of revocations', async () => {
    const link = someLink()
    const cache = notifiedCache<Entry>({ channel, notifications: link, maxEntries: 2 })
    let asked = 0
    const lookUp = async () => {
      asked += 1
      return entry('same')
    }
    for (const digest of ['a', 'b', 'c']) await cache.get(digest, lookUp)
    await cache.get('c', lookUp)
    expect(asked).toBe(3)
    await cache.get('a', lookUp)
    expect(asked).toBe(4)
    link.revoke('user:same')
    await cache.get('a', lookUp)
    await cache.get('c', lookUp)
    expect(asked).toBe(6)
  })

  it('lets go of the link when it is closed', () => {
    const link = someLink()
    notifiedCache({ channel, notifications: link }).close()
    expect(link.followers()).toBe(0)
  })
})
