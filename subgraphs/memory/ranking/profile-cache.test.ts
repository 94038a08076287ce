import { describe, expect, it } from '@jest/globals'
import { memoryChannel } from '../../../platform/memory-changes.ts'
import type { ProfileRow, VectorSource } from '../sources/vectors.ts'
import { ProfileCache } from './profile-cache.ts'

/** A profile of one memory with a vector of 1,000 dimensions: 4,300 bytes as the cache counts. */
const row = (id: string): ProfileRow => ({
  id,
  scope: 'CONTEXT',
  projectId: null,
  conversationId: null,
  importance: 1,
  updatedAt: 0,
  embedding: Buffer.alloc(4_000),
  embeddingModel: 'm',
})

function setUp(bound?: number) {
  const loads: string[] = []
  const source = {
    async profile(ownerId: string) {
      loads.push(ownerId)
      return [row(`${ownerId}-${loads.length}`)]
    },
  } as unknown as VectorSource
  const listeners: { receive?: (owner: string) => void; change?: (connected: boolean) => void } = {}
  const notifications = {
    connected: true,
    follow(channel: string, receive: (owner: string) => void) {
      expect(channel).toBe(memoryChannel)
      listeners.receive = receive
      return () => undefined
    },
    onChange(change: (connected: boolean) => void) {
      listeners.change = change
      return () => undefined
    },
  }
  return {
    cache: new ProfileCache(source, notifications, () => undefined, bound),
    loads,
    notifications,
    listeners,
  }
}

describe('the profiles that are kept', () => {
  it('are read once, until their owner’s memories change', async () => {
    const { cache, loads, listeners } = setUp()
    await Promise.all([cache.of('a'), cache.of('a'), cache.of('b')])
    await cache.of('a')
    expect(loads).toEqual(['a', 'b'])
    listeners.receive?.('a')
    await cache.of('a')
    await cache.of('b')
    expect(loads).toEqual(['a', 'b', 'a'])
  })

  it('are dropped by age of their last use beyond the bound', async () => {
    const { cache, loads } = setUp(9_000)
    for (const owner of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.of(owner)
    expect(loads).toEqual(['a', 'b', 'c', 'b'])
  })

  it('do not outlive a change that came while they were read', async () => {
    const { cache, loads, listeners } = setUp()
    const reading = cache.of('a')
    listeners.receive?.('a')
    await reading
    await cache.of('a')
    expect(loads).toEqual(['a', 'a'])
  })

  it('are none while no news arrive, and none of before once they do again', async () => {
    const { cache, loads, notifications, listeners } = setUp()
    await cache.of('a')
    notifications.connected = false
    listeners.change?.(false)
    await cache.of('a')
    await cache.of('a')
    expect(loads).toEqual(['a', 'a', 'a'])
  })
})
