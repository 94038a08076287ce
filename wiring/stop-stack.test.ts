import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { createLogger } from '../platform/log.ts'
import { createStopStack } from './stop-stack.ts'

afterEach(() => {
  jest.useRealTimers()
})

function stackOf(...failures: (Error | null)[]) {
  const stopped: number[] = []
  const stack = createStopStack()
  failures.forEach((failure, index) => {
    stack.push(`part ${index}`, async () => {
      stopped.push(index)
      if (failure) throw failure
    })
  })
  return { stack, stopped }
}

describe('the stop stack', () => {
  it('stops everything, the last first', async () => {
    const { stack, stopped } = stackOf(null, null, null)
    await stack.stop()
    expect(stopped).toEqual([2, 1, 0])
  })

  it('stops the rest when one stop fails, then throws that failure', async () => {
    const failure = new Error('no stop')
    const { stack, stopped } = stackOf(null, failure, null)
    await expect(stack.stop()).rejects.toBe(failure)
    expect(stopped).toEqual([2, 1, 0])
  })

  it('throws several failures together', async () => {
    const [first, second] = [new Error('first'), new Error('second')]
    const { stack, stopped } = stackOf(first, second)
    await expect(stack.stop()).rejects.toMatchObject({ errors: [second, first] })
    expect(stopped).toEqual([1, 0])
  })

  it('names in the log what takes long, once', async () => {
    jest.useFakeTimers()
    const lines: string[] = []
    const log = createLogger({ level: 'warn', format: 'json' }, { write: (line) => lines.push(line) })
    const { promise: slow, resolve } = Promise.withResolvers<void>()
    const { stack } = stackOf(null)
    stack.terms = { graceMs: 0, log }
    stack.push('a slow part', () => slow)
    const stopped = stack.stop()
    expect(stack.waitingFor).toBe('a slow part')
    await jest.advanceTimersByTimeAsync(60_000)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 40, msg: 'still waiting for: a slow part' },
    ])
    resolve()
    await stopped
    expect(stack.waitingFor).toBeNull()
  })
})
