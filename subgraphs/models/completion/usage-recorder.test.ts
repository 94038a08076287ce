import { describe, expect, it } from '@jest/globals'
import { createLogger } from '../../../platform/log.ts'
import type { BackgroundScope } from '../../../platform/subgraph.ts'
import { type UsageRecord, UsageRecorder } from './usage-recorder.ts'

const log = createLogger({ level: 'silent', format: 'json' })

/** A graph that stores usage, unless it is told not to. */
function storing(refuses: (ids: readonly string[]) => boolean) {
  const stored: string[] = []
  const graph = {
    async execute(_document: unknown, { records }: { records: UsageRecord[] }) {
      const ids = records.map(({ id }) => id)
      if (refuses(ids)) throw new Error('refused')
      stored.push(...ids)
    },
  }
  const scope = { context: () => ({ graph }), graph } as unknown as BackgroundScope
  return { stored, recorder: new UsageRecorder(scope, log, () => undefined, 60_000) }
}
const usage = (id: string) => ({ id }) as UsageRecord

describe('the usage recorder', () => {
  it('stores all others where one can’t be stored, and gives that one up', async () => {
    let asked = 0
    const { stored, recorder } = storing((ids) => {
      asked += 1
      return ids.includes('bad')
    })
    const good = Array.from({ length: 40 }, (_, at) => `good-${at}`)
    for (const id of [...good.slice(0, 17), 'bad', ...good.slice(17)]) recorder.record(usage(id))
    for (let tries = 0; tries < 20; tries += 1) {
      recorder.record(usage(`later-${tries}`))
      await recorder.flush()
    }
    expect(new Set(stored)).toEqual(
      new Set([...good, ...Array.from({ length: 20 }, (_, at) => `later-${at}`)]),
    )
    expect(stored).toHaveLength(60)
    const askedThen = asked
    await recorder.flush()
    expect(asked).toBe(askedThen)
  })

  it('loses nothing of an outage, however long', async () => {
    let isDown = true
    const { stored, recorder } = storing(() => isDown)
    const ids = Array.from({ length: 300 }, (_, at) => `record-${at}`)
    for (const id of ids) recorder.record(usage(id))
    for (let tries = 0; tries < 50; tries += 1) await recorder.flush()
    isDown = false
    await recorder.flush()
    expect(new Set(stored)).toEqual(new Set(ids))
    expect(stored).toHaveLength(300)
  })
})
