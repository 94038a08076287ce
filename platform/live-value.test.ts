import { describe, expect, it } from '@jest/globals'
import { LiveValue } from './live-value.ts'

/** A value whose second reading ends when the test says so, and the link that asks for it. */
async function openValue() {
  const second = Promise.withResolvers<string>()
  const failures: unknown[] = []
  let hear: (connected: boolean) => void = () => undefined
  let readings = 0
  const value = new LiveValue<string>(
    {
      channel: 'none',
      notifications: {
        follow: () => () => undefined,
        onChange(listener) {
          hear = listener
          return () => undefined
        },
        publish: async () => undefined,
      },
      read: async () => (readings++ === 0 ? 'first' : second.promise),
      failed: (error) => failures.push(error),
    },
    'before',
  )
  await value.open()
  return { value, failures, second, reconnect: () => hear(true) }
}

describe('a live value that is closed', () => {
  it('waits for what it reads at that moment', async () => {
    const { value, second, reconnect } = await openValue()
    reconnect()
    const closed = value.close().then(() => value.current)
    second.resolve('second')
    expect(await closed).toBe('second')
  })

  it('tells of a failed reading as ever, and closes all the same', async () => {
    const { value, failures, second, reconnect } = await openValue()
    const failure = new Error('the database is gone')
    reconnect()
    const closed = value.close()
    second.reject(failure)
    await closed
    expect(failures).toEqual([failure])
    expect(value.current).toBe('first')
  })
})
