import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { FairQueue } from './fair-queue.ts'

const never = new AbortController().signal
let served: string[]
let queue: FairQueue
beforeEach(() => {
  served = []
  queue = new FairQueue({ concurrency: 1, length: 6, waitMs: 60_000 })
})

/** Queues a call: its name is its caller's with a number. */
function call(name: string, signal: AbortSignal = never): Promise<void> {
  return queue.enter({ caller: name.replace(/\d+$/, ''), signal }).then(() => void served.push(name))
}

/** Gives the place back as often as somebody waits, and one turn for whoever got it. */
async function serveAll(): Promise<void> {
  for (let rest = queue.length; rest > 0; rest -= 1) {
    queue.leave()
    await Promise.resolve()
  }
}

describe('a queue', () => {
  it('lets calls in at once while there is room', () => {
    expect([queue.hasRoom, queue.tryEnter(), queue.hasRoom, queue.tryEnter()]).toEqual([
      true,
      true,
      false,
      false,
    ])
    queue.leave()
    expect(queue.tryEnter()).toBe(true)
  })

  it('has no bound where none is set', () => {
    queue = new FairQueue({ concurrency: 0, length: 0, waitMs: 0 })
    expect(Array.from({ length: 2_000 }, () => queue.tryEnter())).not.toContain(false)
  })

  it('gives callers their turns, each in its own order', async () => {
    queue.tryEnter()
    const calls = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => call(name))
    await serveAll()
    await Promise.all(calls)
    expect(served).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('lets nobody in past those who wait', async () => {
    queue.tryEnter()
    const waiting = call('a1')
    queue.leave()
    expect(queue.tryEnter()).toBe(false)
    await waiting
    queue.leave()
    expect(queue.tryEnter()).toBe(true)
  })

  it('gives places that are added later to those who wait', async () => {
    queue.tryEnter()
    const waiting = Promise.all([call('a1'), call('a2')])
    queue.setConcurrency(3)
    await waiting
    expect([queue.length, queue.hasRoom]).toEqual([0, false])
  })
})

describe('a full queue', () => {
  beforeEach(() => {
    queue.tryEnter()
  })
  const refused = { code: 'service_unavailable', status: 503, retryAfter: 1 }

  it('refuses a further call of whoever fills it', async () => {
    const calls = Array.from({ length: 6 }, (_, at) => call(`a${at}`))
    await expect(call('a6')).rejects.toMatchObject(refused)
    await serveAll()
    await Promise.all(calls)
  })

  it('has the last call of whoever fills it give way to one who has less', async () => {
    const calls = Array.from({ length: 6 }, (_, at) => call(`a${at}`))
    const other = call('b0')
    await expect(calls[5]).rejects.toMatchObject(refused)
    await serveAll()
    await other
    expect(served).toEqual(['a0', 'b0', 'a1', 'a2', 'a3', 'a4'])
  })

  it('refuses the one who comes where all have as much', async () => {
    const calls = ['a0', 'b0', 'c0', 'd0', 'e0', 'f0'].map((name) => call(name))
    await expect(call('g0')).rejects.toMatchObject(refused)
    await serveAll()
    await Promise.all(calls)
  })
})

describe('one who waits', () => {
  it('too long is refused, and the place goes to others', async () => {
    queue = new FairQueue({ concurrency: 1, length: 6, waitMs: 10 })
    queue.tryEnter()
    await expect(call('a0')).rejects.toMatchObject({ code: 'service_unavailable' })
    expect(queue.length).toBe(0)
    queue.leave()
    expect(queue.hasRoom).toBe(true)
  })

  it('and leaves is out at once, with nothing left behind', async () => {
    queue.tryEnter()
    const client = new AbortController()
    const [leaving, staying] = [call('a0', client.signal), call('a1')]
    client.abort()
    expect(queue.length).toBe(1)
    await expect(leaving).rejects.toMatchObject({ name: 'AbortError' })
    expect(getEventListeners(client.signal, 'abort')).toHaveLength(0)
    queue.leave()
    await staying
    expect(served).toEqual(['a1'])
  })

  it('is not let in where the client had left before', async () => {
    await expect(call('a0', AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
    expect(queue.hasRoom).toBe(true)
  })
})
