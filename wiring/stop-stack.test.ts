import { describe, expect, it } from '@jest/globals'
import { createStopStack } from './stop-stack.ts'

function stackOf(...failures: (Error | null)[]) {
  const stopped: number[] = []
  const stack = createStopStack()
  failures.forEach((failure, index) => {
    stack.push(async () => {
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
})
