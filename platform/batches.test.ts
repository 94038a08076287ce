import { setImmediate as immediate } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { Batches } from './batches.ts'

interface Asked {
  readonly key: string | null
  readonly size: number
  readonly name: string
}

const asked = (name: string, key: string | null = null, size = 1): Asked => ({ name, key, size })

/** Batches whose statements end when the test says so. */
function recorded(lanes: number, answer: (name: string) => string | undefined = (name) => name) {
  const together: string[][] = []
  const alone: string[] = []
  const open: PromiseWithResolvers<void>[] = []
  const batches = new Batches<Asked, string>({
    lanes,
    async together(requests) {
      together.push(requests.map(({ name }) => name))
      const end = Promise.withResolvers<void>()
      open.push(end)
      await end.promise
      return requests.map(({ name }) => answer(name))
    },
    async alone({ name }) {
      alone.push(name)
      if (name.startsWith('bad')) throw new Error(name)
      return name
    },
  })
  return { batches, together, alone, open }
}

describe('batches', () => {
  it('put together what is asked at one moment, and what gathers while a statement is under way', async () => {
    const { batches, together, open } = recorded(1)
    const first = ['a', 'b'].map((name) => batches.ask(asked(name)))
    await immediate()
    const second = ['c', 'd', 'e'].map((name) => batches.ask(asked(name)))
    await immediate()
    expect(together).toEqual([['a', 'b']])
    open[0]?.resolve()
    expect(await Promise.all(first)).toEqual(['a', 'b'])
    await immediate()
    open[1]?.resolve()
    expect(await Promise.all(second)).toEqual(['c', 'd', 'e'])
    expect(together).toHaveLength(2)
  })

  it('have no more statements under way than lanes', async () => {
    const { batches, together, open } = recorded(2)
    const answers = []
    for (const name of ['a', 'b', 'c', 'd']) {
      answers.push(batches.ask(asked(name)))
      await immediate()
    }
    expect(together).toEqual([['a'], ['b']])
    open[0]?.resolve()
    await answers[0]
    await immediate()
    expect(together.at(-1)).toEqual(['c', 'd'])
    for (const end of open) end.resolve()
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('keep the order of one key, one at a time, while others pass', async () => {
    const { batches, together, open } = recorded(2)
    const answers = ['x1', 'x2', 'y1', 'x3'].map((name) => batches.ask(asked(name, name[0])))
    await immediate()
    await immediate()
    expect(together).toEqual([['x1', 'y1']])
    for (let at = 0; at < 3; at += 1) {
      open[at]?.resolve()
      await immediate()
      await immediate()
    }
    expect(await Promise.all(answers)).toEqual(['x1', 'x2', 'y1', 'x3'])
    expect(together).toEqual([['x1', 'y1'], ['x2'], ['x3']])
  })

  it('send what is large apart', async () => {
    const { batches, together, open } = recorded(3)
    const answers = [asked('a'), asked('large', null, 2_000_000), asked('b')].map((one) => batches.ask(one))
    await immediate()
    await immediate()
    expect(together).toEqual([['a', 'b'], ['large']])
    for (const end of open) end.resolve()
    await Promise.all(answers)
  })

  it('ask each alone where they failed together, so that only the faulty one fails', async () => {
    const { batches, open, alone } = recorded(1)
    const answers = ['a', 'bad', 'b'].map((name) => batches.ask(asked(name)))
    await immediate()
    open[0]?.reject(new Error('one of them'))
    expect(await Promise.allSettled(answers)).toMatchObject([
      { value: 'a' },
      { reason: { message: 'bad' } },
      { value: 'b' },
    ])
    expect(alone).toEqual(['a', 'bad', 'b'])
  })

  it('hold the key of one that has to be asked alone', async () => {
    const { batches, together, alone, open } = recorded(1, (name) => (name === 'x1' ? undefined : name))
    const answers = ['x1', 'x2'].map((name) => batches.ask(asked(name, 'x')))
    await immediate()
    open[0]?.resolve()
    expect(await answers[0]).toBe('x1')
    await immediate()
    open[1]?.resolve()
    expect(await answers[1]).toBe('x2')
    expect({ alone, together }).toEqual({ alone: ['x1'], together: [['x1'], ['x2']] })
  })
})
