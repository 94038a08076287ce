import { describe, expect, it } from '@jest/globals'
import { createLogger } from '../../../platform/log.ts'
import { shareViews } from './share-views.ts'
import type { Views } from './sources/public-shares.ts'

const log = createLogger({ level: 'silent', format: 'json' })

describe('views of shares', () => {
  it('are written together, once', async () => {
    const written: ReadonlyMap<string, Views>[] = []
    const views = shareViews({ addViews: async (noted) => void written.push(noted) }, log)
    for (const key of ['1', '2', '1']) views.note(key)
    await views.flush()
    await views.flush()
    expect(written.map((noted) => [...noted].map(([key, { count }]) => [key, count]))).toEqual([
      [
        ['1', 2],
        ['2', 1],
      ],
    ])
  })

  it('are written by themselves before long', async () => {
    await new Promise<void>((resolve) => {
      const views = shareViews({ addViews: async () => resolve() }, log)
      views.note('1')
    })
  })

  it('are kept for the next time when the database refuses them', async () => {
    const written: number[] = []
    let isDown = true
    const views = shareViews(
      {
        async addViews(noted) {
          if (isDown) throw new Error('down')
          written.push(...[...noted.values()].map(({ count }) => count))
        },
      },
      log,
    )
    views.note('1')
    await views.flush()
    views.note('1')
    isDown = false
    await views.flush()
    expect(written).toEqual([2])
  })
})
