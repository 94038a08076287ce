import { describe, expect, it } from '@jest/globals'
import { ownedRows, type RowAt } from './owned-rows.ts'

interface Thing {
  readonly id: string
}

describe('rows of owners', () => {
  it('come to whom they belong, in the order of the ids, by one statement for all that ask at once', async () => {
    const asked: string[] = []
    const things = ownedRows<Thing>(async (owners, ids) => {
      const pairs = ids.map((id, at) => `${owners[at]} ${id}`)
      asked.push(pairs.join(', '))
      const found = pairs.flatMap((pair, at): RowAt<Thing>[] =>
        pair[0] === pair[2] ? [{ id: pair, at: at + 1 }] : [],
      )
      return found.toReversed()
    })
    const answers = await Promise.all([
      things.read('a', ['a1', 'b1', 'a2']),
      things.read('b', []),
      things.read('b', ['a1', 'b1']),
    ])
    expect(answers.map((rows) => rows.map((row) => row?.id ?? null))).toEqual([
      ['a a1', null, 'a a2'],
      [],
      [null, 'b b1'],
    ])
    expect(asked).toEqual(['a a1, a b1, a a2, b a1, b b1'])
  })

  it('fail alone', async () => {
    const things = ownedRows<Thing>(async (owners, ids) => {
      if (owners.includes('a')) throw new Error('not for a')
      return ids.map((id, at) => ({ id, at: at + 1 }))
    })
    const [one, other] = await Promise.allSettled([things.read('a', ['x']), things.read('b', ['y'])])
    expect(one).toMatchObject({ status: 'rejected', reason: { message: 'not for a' } })
    expect(other).toMatchObject({ status: 'fulfilled', value: [{ id: 'y' }] })
  })
})
