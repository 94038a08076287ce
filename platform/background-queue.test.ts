import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { BackgroundQueue, type BackgroundWork } from './background-queue.ts'

/** Items that wait to be let go, and what was seen of them. */
function stage(changes: Partial<BackgroundWork<string>> = {}) {
  const begun: string[] = []
  const failures: string[] = []
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const queue = new BackgroundQueue<string>({
    async work(item, signal) {
      begun.push(item)
      const gate = Promise.withResolvers<void>()
      gates.set(item, gate)
      signal.addEventListener('abort', () => gate.reject(signal.reason as Error))
      await gate.promise
    },
    failed: (error, item) => void failures.push(`${item}: ${(error as Error).name}`),
    mostRunning: 2,
    mostWaiting: 2,
    deadlineMs: 60_000,
    graceMs: 60_000,
    drains: true,
    ...changes,
  })
  return { queue, begun, failures, end: (item: string) => gates.get(item)?.resolve() }
}

const turn = () => sleep(1)

describe('a background queue', () => {
  it('works on so many at once, in order, and takes no more than may wait', async () => {
    const { queue, begun, end } = stage()
    expect(['a', 'b', 'c', 'd', 'e'].map((item) => queue.add(item))).toEqual([true, true, true, true, false])
    expect(begun).toEqual(['a', 'b'])
    end('b')
    await turn()
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(queue.add('f')).toBe(true)
  })

  it('tells of what fails or takes too long, and goes on', async () => {
    const { queue, begun, failures } = stage({ mostRunning: 1, deadlineMs: 5 })
    queue.add('a')
    queue.add('b')
    while (failures.length < 2) await turn()
    expect([begun, failures]).toEqual([
      ['a', 'b'],
      ['a: TimeoutError', 'b: TimeoutError'],
    ])
  })

  it('still does what waits when it stops, and takes no more', async () => {
    const { queue, begun, end } = stage({ mostRunning: 1 })
    queue.add('a')
    queue.add('b')
    const stopped = queue.stop()
    expect(queue.add('c')).toBe(false)
    end('a')
    await turn()
    end('b')
    await stopped
    expect(begun).toEqual(['a', 'b'])
  })

  it('drops what waits where it does not drain, and aborts what is not done in time', async () => {
    const { queue, begun, failures } = stage({ mostRunning: 1, drains: false, graceMs: 5 })
    queue.add('a')
    queue.add('b')
    await queue.stop()
    expect([begun, failures]).toEqual([['a'], ['a: AbortError']])
  })
})
